// Where connections come in: a bound address and the loop that accepts at it.
#ifndef LOCKD_SERVER_LISTENER_H_
#define LOCKD_SERVER_LISTENER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/address.h"
#include "server/edge.h"
#include "server/file_lock.h"
#include "server/throttle.h"

namespace lockd::server {

/// The right to a Unix socket's path: a lock on PATH.lock, held while the process lives. Whoever has it may remove a
/// socket that a killed server left at PATH. The lock file itself stays, for removing it would let two servers lock two
/// files of one name.
class UnixPathGuard {
 public:
  /// Throws std::runtime_error where another server holds the lock, or it can't be had (the folder is named where that
  /// is why), or at PATH is something else than a socket at which nobody listens.
  explicit UnixPathGuard(std::string path);
  UnixPathGuard(const UnixPathGuard&) = delete;
  UnixPathGuard& operator=(const UnixPathGuard&) = delete;
  ~UnixPathGuard();  // removes the socket

 private:
  std::string path_;
  FileLock lock_;
};

/// What the accept loop needs of the server.
struct AcceptHooks {
  /// Whose thread the next connection shall live on. Asked for more often than connections come.
  std::function<boost::asio::io_context&()> next_context;
  /// May throw std::bad_alloc: the connection is dropped.
  std::function<void(Socket, const StreamProtocol::endpoint&)> accepted;
  /// Where somebody is there to be accepted: comes back once there is room. Empty where there always is.
  std::function<boost::asio::awaitable<void>()> room{};
  /// In one pass of the event loop. By default enough that a fleet gets in while others keep the server busy, and few
  /// enough that they do not notice.
  int at_once_max = 32;
  /// The time, for what is logged once in a while.
  std::function<Throttle::Clock::time_point()> now = Throttle::Clock::now;
};

/// One listening socket. Used by one thread, that of its context.
class Listener {
 public:
  /// Binds and listens, with SO_REUSEADDR and never SO_REUSEPORT: a second server on one address is refused. IPv6 is
  /// bound V6ONLY. unix_mode: permission bits of a Unix socket, in force from the moment that it exists.
  /// websocket_path: as in ListenUri. Throws boost::system::system_error or std::runtime_error.
  Listener(boost::asio::io_context& context, const StreamProtocol::endpoint& endpoint, unsigned unix_mode,
           const std::optional<std::string>& websocket_path = {});

  /// Takes over a socket that is bound and listens already, as passed_sockets() gives it, and closes it in the end. A
  /// Unix socket's path stays: it is whose who bound it. Throws boost::system::system_error.
  Listener(boost::asio::io_context& context, int listening_fd);

  /// The address with the port that was really taken.
  const std::string& uri() const { return uri_; }

  /// Whether it accepts: not for a second after it last could not for want of descriptors or memory. (Not until it can
  /// again: where nobody comes it does not try.) On the context's thread.
  bool accepts() const { return !failed_at_ || Clock::now() - *failed_at_ > std::chrono::seconds(1); }

  /// Accepts until the context stops. Where descriptors or memory run out it logs that, pauses, and goes on by itself.
  boost::asio::awaitable<void> accept_all(AcceptHooks hooks);

 private:
  using Clock = std::chrono::steady_clock;
  using Acceptor = boost::asio::basic_socket_acceptor<StreamProtocol, boost::asio::io_context::executor_type>;

  void prepare_to_accept(const std::optional<std::string>& websocket_path);
  void open(const StreamProtocol::endpoint& endpoint);
  boost::system::error_code accept_some(const AcceptHooks& hooks);
  void open_unix(const StreamProtocol::endpoint& endpoint, unsigned mode);

  std::unique_ptr<UnixPathGuard> guard_;  // before the acceptor: released after it
  Acceptor acceptor_;
  std::string uri_;
  std::optional<Clock::time_point> failed_at_;  // when it last could not accept
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_LISTENER_H_
