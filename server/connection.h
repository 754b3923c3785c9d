// The pump between a socket and a session.
#ifndef LOCKD_SERVER_CONNECTION_H_
#define LOCKD_SERVER_CONNECTION_H_

#include <atomic>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/edge.h"
#include "server/pump.h"
#include "server/session.h"
#include "server/worker.h"

namespace lockd::server {

/// One accepted socket, from serve() or refuse() to its close. It waits until the socket is readable, reads into its
/// worker's buffer, gives that to the session and tries to send the replies at once; only what the kernel does not take
/// is kept. At most one wait for each direction is pending, ever.
///
/// Life: serving; ending, while the session releases its locks in slices (EndQueue); closing, while what is left of the
/// replies is sent (S3) and the peer is given the time to read them. Owned by its pending handlers and, while it is
/// ending, by its worker's EndQueue. All on its worker's thread.
template <class Mutex>
class Connection final : public Pump, public std::enable_shared_from_this<Connection<Mutex>> {
 public:
  using Socket = typename Edge<Mutex>::Socket;

  /// `population`: those of its kind, itself included, while it lives. Outlives it.
  Connection(Worker<Mutex>& worker, Socket socket, std::atomic<std::size_t>& population);
  ~Connection() override;

  /// Opens the session. Where there is no memory for one the connection is closed.
  void serve(SessionId id, std::string address);

  /// S4: tells the peer, in the words of what it speaks, that it is one too many, and says goodbye.
  void refuse(std::string_view farewell = too_many_connections_line);

  bool end_some(std::size_t locks_max) override;
  void wake(const Answer& answer) override;

 private:
  enum class Phase : std::uint8_t { serving, ending, closing, closed };

  using Error = boost::system::error_code;
  using Deadline = typename Worker<Mutex>::Expiries::Deadline;

  /// A handler for a pending operation, which keeps the connection alive and is not called any more once it is closed.
  template <class Handler>
  auto bound(Handler handler);

  void wait_readable();
  void on_readable();
  std::string& output();
  void proceed(Next next);
  bool has_turn_to_take() const;
  void take_turn_if_drained();

  void begin_wait();
  void end_wait();
  void on_wait_deadline();

  void flush();
  std::optional<std::size_t> send(std::string_view bytes);
  void wait_writable();
  void on_writable();

  void end();
  void peer_failed(const Error& error);
  void lose_peer();
  void close_gently();
  void say_goodbye();
  void close();

  template <void (Connection::*Expired)()>
  static void expired(Connection& self) noexcept;
  void set_deadline(std::chrono::seconds delay);
  void on_deadline();

  Worker<Mutex>& worker_;
  std::atomic<std::size_t>& population_;
  Socket socket_;
  std::optional<Session<Mutex>> session_;  // none if refused
  std::string unsent_;                     // replies that the kernel did not take yet
  Deadline deadline_;                      // while replies wait for the peer, and while closing
  Deadline wait_;                          // while the session waits (W1)
  Next next_ = Next::read;
  Phase phase_ = Phase::serving;
  bool reading_ = false;       // a wait for input is pending
  bool writing_ = false;       // a wait for room in the socket is pending; always if unsent_ is not empty
  bool turn_pending_ = false;  // the session's next turn is in the context's queue
  bool peer_done_ = false;     // nothing more comes from the peer: it has sent its FIN, or is lost
};

extern template class Connection<engine::NullMutex>;
extern template class Connection<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_CONNECTION_H_
