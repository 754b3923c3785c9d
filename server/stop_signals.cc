#include "server/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

namespace {

/// Whether whoever started the process (nohup) wants it to outlive its terminal.
bool hangups_are_ignored() {
  struct sigaction hangup{};
  ::sigaction(SIGHUP, nullptr, &hangup);
  return hangup.sa_handler == SIG_IGN;
}

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  if (!hangups_are_ignored()) ::sigaddset(&signals, SIGHUP);
  return signals;
}

void throw_if(const boost::system::error_code& error) {
  if (error) throw boost::system::system_error(error, "signals can't be read");
}

}  // namespace

StopSignals::StopSignals(asio::io_context& context) : descriptor_(context) {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throw_if({errno, boost::system::system_category()});
  boost::system::error_code error;
  descriptor_.assign(fd, error);
  if (error) ::close(fd);
  throw_if(error);
}

void StopSignals::async_wait(std::function<void(int)> stop) {
  descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                         [this, stop = std::move(stop)](const boost::system::error_code& error) {
                           throw_if(error);
                           stop(read());
                         });
}

int StopSignals::read() {
  signalfd_siginfo came{};
  const ssize_t bytes = ::read(descriptor_.native_handle(), &came, sizeof came);
  if (bytes != sizeof came) throw_if({errno, boost::system::system_category()});
  return static_cast<int>(came.ssi_signo);
}

}  // namespace lockd::server
