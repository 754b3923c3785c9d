// At which addresses the server's clients find it.
#ifndef LOCKD_SERVER_LISTENERS_H_
#define LOCKD_SERVER_LISTENERS_H_

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/listener.h"
#include "server/options.h"
#include "server/service_manager.h"
#include "server/websocket/handshake.h"

namespace lockd::server {

/// A listener, and whom it lets in where it is for WebSockets.
struct BoundListener {
  std::unique_ptr<Listener> listener;
  std::optional<WebSocketPolicy> policy;
};

/// The listeners of a server, all on one context and its thread; none before open().
class Listeners {
 public:
  /// Both outlive it.
  Listeners(boost::asio::io_context& context, const Options& options) : context_(context), options_(options) {}
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners() = default;

  /// Takes over the sockets that were passed (socket activation): they take the place of the default addresses, and of
  /// those of --listen that the service manager has bound. Then listens at the others of --listen; where there is
  /// nothing of both, at the default addresses. It is a warning in the log if there are origins of pages and no
  /// WebSocket. Throws std::runtime_error that says where it can't listen, and why.
  void open(const std::vector<PassedSocket>& passed);

  /// These stay in place.
  auto begin() const { return bound_.begin(); }
  auto end() const { return bound_.end(); }
  std::size_t size() const { return bound_.size(); }

  /// Whether each of them accepts: Listener::accepts().
  bool accept() const;

 private:
  void take(const PassedSocket& passed);
  void listen(const std::string& uri);
  void listen_by_default();
  void add(const StreamProtocol::endpoint& endpoint, const std::optional<std::string>& websocket_path = {});

  boost::asio::io_context& context_;
  const Options& options_;
  std::deque<BoundListener> bound_;
  std::set<std::string> bound_before_;  // addresses of those that were passed
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_LISTENERS_H_
