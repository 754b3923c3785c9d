// Who may come in: connections that were accepted are given to the I/O threads, or refused.
#ifndef LOCKD_SERVER_DOORMAN_H_
#define LOCKD_SERVER_DOORMAN_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/connection.h"
#include "server/listener.h"
#include "server/throttle.h"
#include "server/websocket/handshake.h"
#include "server/worker.h"

namespace lockd::server {

/// Numbers sessions (S1), hands connections to the workers round-robin, counts those that live, and tells those beyond
/// the limit that they are too many (S4).
///
/// All listeners accept on the first worker's thread, on which all of this is called, but for served(): so S4's count
/// is checked and taken with nobody in between. Outlives the workers, whose connections count themselves out here.
template <class Mutex>
class Doorman {
 public:
  using Workers = std::vector<std::unique_ptr<Worker<Mutex>>>;

  /// workers: used from the first connection on, until then it may be empty.
  Doorman(const Workers& workers, std::chrono::seconds peer_timeout) : workers_(workers), peer_timeout_(peer_timeout) {}
  Doorman(const Doorman&) = delete;
  Doorman& operator=(const Doorman&) = delete;
  ~Doorman() = default;

  /// S4: as many connections as asked for, or else as there is room for. To be called when all that stays open is open,
  /// but for `reserved` descriptors more. Raises the process's descriptor limit. Throws std::runtime_error where that
  /// leaves no room at all, and none was asked for.
  void limit(std::optional<std::uint64_t> asked, std::size_t reserved);

  /// For a listener's accept loop. policy: where it is for WebSockets, otherwise null; outlives the loop.
  AcceptHooks hooks(const WebSocketPolicy* policy);

  std::size_t connections_max() const { return connections_max_; }

  /// Connections in their handshake, with a session, or with its last replies on their way. Any thread.
  std::size_t served() const { return served_.load(); }

  /// Since the start: connections that there was room for, those dropped later included; that were too many; that were
  /// dropped for want of memory.
  std::uint64_t served_total() const { return last_session_; }
  std::uint64_t refused_total() const { return refused_total_; }
  std::uint64_t dropped_total() const { return dropped_total_; }

 private:
  void accept_or_drop(Socket socket, const StreamProtocol::endpoint& peer, const WebSocketPolicy* policy);
  void accept(Socket socket, const StreamProtocol::endpoint& peer, const WebSocketPolicy* policy);
  template <class Connected>
  void serve(Worker<Mutex>& worker, std::shared_ptr<Connected> connection, SessionId id, const std::string& address);
  void refuse(Socket socket, std::string_view farewell);
  Worker<Mutex>& worker_of(Socket& socket) const;

  const Workers& workers_;
  const std::chrono::seconds peer_timeout_;
  std::size_t connections_max_ = 0;
  std::atomic<std::size_t> served_{0};
  std::atomic<std::size_t> refused_{0};  // connections too many, being told so

  std::uint64_t last_session_ = 0;
  std::size_t next_worker_ = 0;
  std::uint64_t refused_total_ = 0;
  std::uint64_t dropped_total_ = 0;
  Throttle full_log_;
};

extern template class Doorman<engine::NullMutex>;
extern template class Doorman<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_DOORMAN_H_
