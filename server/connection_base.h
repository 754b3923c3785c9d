// What connections have in common, whatever they speak: a session, its turns, its waits and its end.
#ifndef LOCKD_SERVER_CONNECTION_BASE_H_
#define LOCKD_SERVER_CONNECTION_BASE_H_

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/check.h"
#include "server/pump.h"
#include "server/session.h"
#include "server/worker.h"

namespace lockd::server {

/// Of one attempt to read or write.
inline bool would_block(const boost::system::error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again;
}

/// For the operator: why a connection ends of which nobody has said so.
void log_vanished(std::string_view address, const boost::system::error_code& error);
void log_stuck(std::string_view address, std::chrono::seconds timeout);

/// A connection's part between its session and its socket, of which it knows when to read, write and close, and
/// Connected how. Only a serving connection has an end to begin; a session's locks live exactly as long as it does: a
/// connection goes when its session has ended, or with its worker (S6).
///
/// Connected derives from it, and has, as its friend's:
///   socket()             what is waited for, and closed
///   call_session(call)   call(services, output) calls the session, which appends there; then proceed()
///   send_replies()       what the session has just written is to leave, sooner or later
///   on_writable()        the socket has room again
///   read()               goes on reading, unless that is under way
///   has_room()           F5: whether more replies may be made
///   forget_output()      it can't be sent any more
///   close_gently()       S3: the session is over; its replies may still be on their way
///   is_writable()        whether the socket has room now
///   give_up()            the deadline of a connection that has no session has come
/// No call of these is virtual, as each request makes some.
template <class Connected, class Mutex>
class ConnectionBase : public Pump, public std::enable_shared_from_this<Connected> {
 public:
  bool end_some(std::size_t locks_max) final;
  void wake(const Answer& answer) final;

 protected:
  enum class Phase : std::uint8_t { handshake, serving, ending, closing, closed };

  using Error = boost::system::error_code;
  using Deadline = typename Worker<Mutex>::Expiries::Deadline;

  /// `population`: those of its kind, itself included, while it lives. It and the worker outlive it.
  ConnectionBase(Worker<Mutex>& worker, std::atomic<std::size_t>& population, Phase phase);
  ~ConnectionBase() override;

  /// A handler for a pending operation, which keeps the connection alive and is not called any more once it is closed.
  template <class Handler>
  auto bound(Handler handler);

  /// Does what the session needs next.
  void proceed(Next next);
  bool has_turn_to_take() const;
  void take_turn_if_drained();

  void wait_writable();

  void end();
  void peer_failed(const Error& error);
  void lose_peer();
  void close();

  void set_deadline(std::chrono::seconds delay);

  Worker<Mutex>& worker_;
  std::optional<Session<Mutex>> session_;  // none if refused, or not yet
  Deadline deadline_;                      // while replies wait for the peer, in a handshake and while closing
  Next next_ = Next::read;
  Phase phase_;
  bool writing_ = false;    // a wait for room in the socket is pending; always if replies are left
  bool peer_done_ = false;  // nothing more comes from the peer: it has sent its FIN, or is lost

 private:
  Connected& self() { return static_cast<Connected&>(*this); }

  void begin_wait();
  void end_wait();
  void on_wait_deadline();

  template <void (ConnectionBase::*Expired)()>
  static void expired(Pump& pump) noexcept;
  void on_deadline();

  Deadline wait_;              // while the session waits (W1)
  bool waits_ = false;         // the session does, and its thread knows (Worker::waiting)
  bool turn_pending_ = false;  // the session's next turn is in the context's queue
  std::atomic<std::size_t>& population_;
};

template <class Connected, class Mutex>
ConnectionBase<Connected, Mutex>::ConnectionBase(Worker<Mutex>& worker, std::atomic<std::size_t>& population,
                                                 Phase phase)
    : worker_(worker),
      deadline_(*this, expired<&ConnectionBase::on_deadline>),
      phase_(phase),
      wait_(*this, expired<&ConnectionBase::on_wait_deadline>),
      population_(population) {
  population_.fetch_add(1);
}

template <class Connected, class Mutex>
ConnectionBase<Connected, Mutex>::~ConnectionBase() {
  LOCKD_CHECK(!session_ || phase_ >= Phase::closing || worker_.is_stopped, "a lock goes with its connection");
  population_.fetch_sub(1);
}

/// What a handler throws ends the process here (noexcept), as long as somebody owns the connection: other threads still
/// serve, and would see it closed with its locks not free.
template <class Connected, class Mutex>
template <class Handler>
auto ConnectionBase<Connected, Mutex>::bound(Handler handler) {
  return [self = this->shared_from_this(), handler](const auto&... results) noexcept {
    if (self->phase_ != Phase::closed) handler(*self, results...);
  };
}

// ---- executing ----

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::proceed(Next next) {
  next_ = next;
  worker_.bring_wakeups();
  if (next_ != Next::wait) end_wait();
  self().send_replies();
  if (phase_ != Phase::serving) return;
  switch (next_) {
    case Next::read:
      return self().read();
    case Next::wait:
      if (worker_.services.turn.wait_begun) begin_wait();
      return self().read();
    case Next::turn:
    case Next::drain:
      return take_turn_if_drained();
    case Next::end:
      return end();
  }
}

/// Until it is taken, the session is not to be given any input.
template <class Connected, class Mutex>
bool ConnectionBase<Connected, Mutex>::has_turn_to_take() const {
  return phase_ == Phase::serving && (next_ == Next::turn || next_ == Next::drain);
}

/// Puts the session's next turn behind those of the others; only if it has one to take.
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::take_turn_if_drained() {
  if (!has_turn_to_take() || !self().has_room()) return;
  if (std::exchange(turn_pending_, true)) return;
  boost::asio::post(worker_.context, bound([](Connected& self) {
                      self.turn_pending_ = false;
                      if (!self.has_turn_to_take()) return;
                      self.call_session([&](const Services<Mutex>& services, std::string& output) {
                        return self.session_->go_on(services, output);
                      });
                    }));
}

// ---- waiting ----

/// Its first, or the next one. Counted from now, as the turn's moment may lie before its execution by all that the turn
/// has done, and W1 lets no wait end early.
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::begin_wait() {
  waits_ = true;
  worker_.waiting[session_->id()] = this;
  const auto left = std::chrono::milliseconds(session_->deadline() - worker_.services.turn.now);
  worker_.expiries.set(wait_, Worker<Mutex>::Clock::now() + left);
}

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::end_wait() {
  if (!std::exchange(waits_, false)) return;
  worker_.waiting.erase(session_->id());
  wait_.lift();
}

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::on_wait_deadline() {
  self().call_session(
      [this](const Services<Mutex>& services, std::string& output) { return session_->time_out(services, output); });
}

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::wake(const Answer& answer) {
  self().call_session(
      [&](const Services<Mutex>& services, std::string& output) { return session_->wake(answer, services, output); });
}

// ---- writing ----

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::wait_writable() {
  LOCKD_CHECK(!writing_, "one write in flight, ever");
  writing_ = true;
  auto& socket = self().socket();
  socket.async_wait(std::decay_t<decltype(socket)>::wait_write, bound([](Connected& self, const Error& error) {
                      self.writing_ = false;
                      error ? self.peer_failed(error) : self.on_writable();
                    }));
}

// ---- the end ----

/// S2. Safe to come from anywhere and more than once: only a serving connection has an end to begin.
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::end() {
  if (phase_ != Phase::serving) return;
  phase_ = Phase::ending;
  end_wait();
  worker_.ends.push(this->shared_from_this());
}

template <class Connected, class Mutex>
bool ConnectionBase<Connected, Mutex>::end_some(std::size_t locks_max) {
  const bool is_over = session_->end_some(worker_.services_now(), locks_max);
  worker_.bring_wakeups();
  if (is_over) self().close_gently();
  return is_over;
}

/// A reset is a client's business; that a host has vanished an operator wants to know.
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::peer_failed(const Error& error) {
  const bool vanished = error == boost::asio::error::timed_out || error == boost::asio::error::host_unreachable;
  if (phase_ == Phase::serving && vanished) {
    log_vanished(*worker_.services.registry.address(session_->id()), error);
  }
  lose_peer();
}

/// The peer is not there any more: nothing can be sent or read.
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::lose_peer() {
  self().forget_output();
  peer_done_ = true;
  deadline_.lift();
  phase_ == Phase::serving || phase_ == Phase::ending ? end() : close();
}

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::close() {
  phase_ = Phase::closed;
  deadline_.lift();
  Error ignored;
  self().socket().close(ignored);
}

// ---- deadlines ----

/// As in bound().
template <class Connected, class Mutex>
template <void (ConnectionBase<Connected, Mutex>::*Expired)()>
void ConnectionBase<Connected, Mutex>::expired(Pump& pump) noexcept {
  auto& self = static_cast<ConnectionBase&>(pump);
  const auto alive = self.shared_from_this();
  (self.*Expired)();
}

template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::set_deadline(std::chrono::seconds delay) {
  worker_.expiries.set(deadline_, Worker<Mutex>::Clock::now() + delay);
}

/// A thread that stood still comes to deadlines before it has seen all sockets that have room by now: who took bytes in
/// time does not pay for that (S2).
template <class Connected, class Mutex>
void ConnectionBase<Connected, Mutex>::on_deadline() {
  if (phase_ == Phase::ending) return;  // closing has a deadline of its own (S3)
  if (phase_ != Phase::serving) return self().give_up();
  if (self().is_writable()) return set_deadline(worker_.peer_timeout);
  log_stuck(*worker_.services.registry.address(session_->id()), worker_.peer_timeout);
  lose_peer();
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_CONNECTION_BASE_H_
