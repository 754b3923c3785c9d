#include "server/listener.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

namespace {

/// Long enough not to spin, short enough that nobody who waits in the backlog gives up.
constexpr std::chrono::milliseconds accept_pause{100};

std::string path_of(const StreamProtocol::endpoint& endpoint) {
  return listen_uri(endpoint).substr(std::string_view("unix://").size());
}

}  // namespace

UnixPathGuard::UnixPathGuard(std::string path) : path_(std::move(path)), lock_fd_(-1) {
  const std::string lock_path = path_ + ".lock";
  lock_fd_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) throw std::system_error(errno, std::generic_category(), lock_path);
  struct stat found{};
  const bool locked = ::flock(lock_fd_, LOCK_EX | LOCK_NB) == 0;
  const bool exists = locked && ::lstat(path_.c_str(), &found) == 0;
  if (locked && (!exists || S_ISSOCK(found.st_mode))) {
    if (exists) ::unlink(path_.c_str());
    return;
  }
  ::close(lock_fd_);
  throw std::runtime_error(locked ? "there is a file that is no socket" : "another server holds " + lock_path);
}

UnixPathGuard::~UnixPathGuard() {
  ::unlink(path_.c_str());
  ::close(lock_fd_);
}

Listener::Listener(asio::io_context& context, const StreamProtocol::endpoint& endpoint, unsigned unix_mode)
    : acceptor_(context) {
  acceptor_.open(endpoint.protocol());
  if (endpoint.protocol().family() == AF_UNIX) {
    open_unix(endpoint, unix_mode);
  } else {
    open(endpoint);
  }
  acceptor_.listen();
}

void Listener::open(const StreamProtocol::endpoint& endpoint) {
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  if (endpoint.protocol().family() == AF_INET6) acceptor_.set_option(asio::ip::v6_only(true));
  acceptor_.bind(endpoint);
}

/// The mask, not a chmod afterwards: nobody may connect in between. The process has one thread as yet.
void Listener::open_unix(const StreamProtocol::endpoint& endpoint, unsigned mode) {
  guard_ = std::make_unique<UnixPathGuard>(path_of(endpoint));
  const mode_t mask = ::umask(static_cast<mode_t>(0777 & ~mode));
  boost::system::error_code error;
  acceptor_.bind(endpoint, error);
  ::umask(mask);
  if (error) throw boost::system::system_error(error);
}

std::string Listener::uri() const { return listen_uri(acceptor_.local_endpoint()); }

asio::awaitable<void> Listener::accept_all(AcceptHooks hooks) {
  asio::steady_timer pause(acceptor_.get_executor());
  bool paused = false;
  while (true) {
    StreamProtocol::endpoint peer;
    auto [error, socket] =
        co_await acceptor_.async_accept(hooks.next_context().get_executor(), peer, asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error == asio::error::connection_aborted) continue;
    if (error) {
      if (!std::exchange(paused, true)) spdlog::warn("{}: accepting pauses: {}", uri(), error.message());
      pause.expires_after(accept_pause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (std::exchange(paused, false)) spdlog::info("{}: accepting goes on", uri());
    try {
      hooks.accepted(std::move(socket), peer);
    } catch (const std::bad_alloc&) {
      spdlog::error("{}: out of memory: a connection is dropped", uri());
    }
  }
}

}  // namespace lockd::server
