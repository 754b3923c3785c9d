#include "client/lockctl/warden.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "client/lockctl/pidfd.h"

namespace lockd::lockctl {

namespace {

void wait_for(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
}

/// The warden's whole life. Only what is async-signal-safe: lockctl has threads.
[[noreturn]] void watch(int alive, int ready, int child) {
  ::prctl(PR_SET_NAME, "lockctl-warden");
  ::setsid();
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(ready, &byte, 1);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
  wait_for(alive);
  ::pidfd_send_signal(child, SIGKILL, nullptr, 0);
  wait_for(child);
  ::_exit(0);
}

}  // namespace

Warden::Warden(const Child& child) {
  Pipe ready;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  id_ = ::fork();
  if (id_ == 0) {
    ::close(alive_.write_end.get());
    watch(alive_.read_end.get(), ready.write_end.get(), child.pidfd());
  }
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (id_ < 0) throw std::system_error(error, std::generic_category(), "fork");
  alive_.read_end.close();
  ready.write_end.close();
  wait_for(ready.read_end.get());  // a signal to lockctl's group spares it from now on
}

Warden::~Warden() {
  alive_.write_end.close();
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace lockd::lockctl
