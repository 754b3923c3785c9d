#include "server/listener.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
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
#include <filesystem>
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

/// Where the lock is not there, and can't be made, it is its folder that is to blame.
[[noreturn]] void refuse(int error, const std::string& lock_path) {
  struct stat found{};
  const bool exists = ::lstat(lock_path.c_str(), &found) == 0;
  const std::string folder = std::filesystem::path(lock_path).parent_path();
  throw std::system_error(error, std::generic_category(), exists ? lock_path : "the folder " + folder);
}

/// Under the lock: a socket at which nobody listens was left by a server that was killed. Anything else is not ours to
/// remove.
void remove_stale_socket(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) throw std::runtime_error("there is a file that is no socket");
  asio::io_context context;
  asio::local::stream_protocol::socket probe(context);
  boost::system::error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (error != asio::error::connection_refused) throw std::runtime_error("another program's socket is there");
  ::unlink(path.c_str());
}

}  // namespace

UnixPathGuard::UnixPathGuard(std::string path) : path_(std::move(path)), lock_(path_ + ".lock", O_NOFOLLOW, 0600) {
  if (lock_.fd() < 0) refuse(errno, path_ + ".lock");
  if (!lock_.try_lock()) throw std::runtime_error("another server holds " + path_ + ".lock");
  remove_stale_socket(path_);
}

UnixPathGuard::~UnixPathGuard() { ::unlink(path_.c_str()); }

Listener::Listener(asio::io_context& context, const StreamProtocol::endpoint& endpoint, unsigned unix_mode,
                   const std::optional<std::string>& websocket_path)
    : acceptor_(context) {
  acceptor_.open(endpoint.protocol());
  if (endpoint.protocol().family() == AF_UNIX) {
    open_unix(endpoint, unix_mode);
  } else {
    open(endpoint);
  }
  acceptor_.listen();
  prepare_to_accept(websocket_path);
}

Listener::Listener(asio::io_context& context, int listening_fd) : acceptor_(context) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  ::getsockopt(listening_fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  acceptor_.assign(StreamProtocol(family, 0), listening_fd);
  prepare_to_accept({});
}

void Listener::prepare_to_accept(const std::optional<std::string>& websocket_path) {
  acceptor_.non_blocking(true);
  // Or else Asio itself would wait for the next connection after one that was aborted, and the whole thread with it.
  acceptor_.set_option(asio::socket_base::enable_connection_aborted(true));
  uri_ = listen_uri(acceptor_.local_endpoint(), websocket_path);
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

/// Accepts those who wait, up to some. Nothing more to say unless it is that accepting does not work.
boost::system::error_code Listener::accept_some(const AcceptHooks& hooks) {
  for (int i = 0; i < hooks.at_once_max; ++i) {
    StreamProtocol::endpoint peer;
    boost::system::error_code error;
    auto socket = acceptor_.accept(hooks.next_context(), peer, error);
    if (error == asio::error::would_block) return {};
    if (error == asio::error::connection_aborted) continue;
    if (error) return error;
    try {
      hooks.accepted(std::move(socket), peer);
    } catch (const std::bad_alloc&) {
      spdlog::error("{}: out of memory: a connection is dropped", uri());
    }
  }
  return {};
}

asio::awaitable<void> Listener::accept_all(AcceptHooks hooks) {
  asio::steady_timer pause(acceptor_.get_executor());
  Throttle log;
  bool paused = false;  // and the log says so
  while (true) {
    const auto [stopped] = co_await acceptor_.async_wait(Acceptor::wait_read, asio::as_tuple(asio::use_awaitable));
    if (stopped) co_return;
    if (hooks.room) co_await hooks.room();
    const auto error = accept_some(hooks);
    if (!error) {
      if (std::exchange(paused, false)) spdlog::info("{}: accepting goes on", uri());
      continue;
    }
    failed_at_ = Clock::now();
    if (!paused && log.allows(hooks.now())) {
      paused = true;
      spdlog::warn("{}: accepting pauses: {}", uri(), error.message());
    }
    pause.expires_after(accept_pause);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace lockd::server
