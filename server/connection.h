// The pump between a socket and a session.
#ifndef LOCKD_SERVER_CONNECTION_H_
#define LOCKD_SERVER_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/connection_base.h"
#include "server/edge.h"
#include "server/protocol.h"
#include "server/worker.h"

namespace lockd::server {

/// One accepted socket, from serve() or refuse() to its close. It waits until the socket is readable, reads into its
/// worker's buffer, gives that to the session and tries to send the replies at once; only what the kernel does not take
/// is kept. At most one wait for each direction is pending, ever.
///
/// Life: serving; ending, while the session releases its locks in slices (EndQueue); closing, while what is left of the
/// replies is sent (S3) and the peer is given the time to read them. Owned by its pending handlers and, while it is
/// ending, by its worker's EndQueue. All on its worker's thread; on cache lines that no other thread's object shares.
template <class Mutex>
class alignas(64) Connection final : public ConnectionBase<Connection<Mutex>, Mutex> {
 public:
  using Socket = typename Edge<Mutex>::Socket;

  /// `population`: those of its kind, itself included, while it lives. Outlives it.
  Connection(Worker<Mutex>& worker, Socket socket, std::atomic<std::size_t>& population);
  ~Connection() override;

  /// Opens the session. Where there is no memory for one the connection is closed.
  void serve(SessionId id, std::string address);

  /// S4: tells the peer, in the words of what it speaks, that it is one too many, and says goodbye.
  void refuse(std::string_view farewell = too_many_connections_line);

 private:
  using Base = ConnectionBase<Connection<Mutex>, Mutex>;
  friend Base;

  using Base::bound;
  using Base::close;
  using Base::deadline_;
  using Base::has_turn_to_take;
  using Base::next_;
  using Base::peer_done_;
  using Base::peer_failed;
  using Base::phase_;
  using Base::proceed;
  using Base::session_;
  using Base::set_deadline;
  using Base::take_turn_if_drained;
  using Base::wait_writable;
  using Base::worker_;
  using Base::writing_;
  using typename Base::Error;
  using typename Base::Phase;

  Socket& socket() { return socket_; }

  void read() { wait_readable(); }
  void wait_readable();
  void on_readable();
  void on_readable_while_closing();
  std::string& output();
  template <class Call>
  void call_session(Call call) {
    proceed(call(worker_.services_now(), output()));
  }
  bool has_room() const { return unsent_.size() < worker_.services.settings.output_bytes_max; }

  void send_replies() { flush(); }
  void flush();
  std::optional<std::size_t> send(std::string_view bytes);
  void on_writable();
  void forget_output() { unsent_.clear(); }

  void close_gently();
  bool is_writable() const { return socket_.is_writable(); }
  void give_up() { close(); }
  void say_goodbye();

  Socket socket_;
  std::string unsent_;    // replies that the kernel did not take yet
  bool reading_ = false;  // a wait for input is pending
};

extern template class Connection<engine::NullMutex>;
extern template class Connection<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_CONNECTION_H_
