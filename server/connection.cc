#include "server/connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace asio = boost::asio;

namespace {

bool would_block(const boost::system::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace

template <class Mutex>
Connection<Mutex>::Connection(Worker<Mutex>& worker, Socket socket, std::atomic<std::size_t>& population)
    : worker_(worker),
      population_(population),
      socket_(std::move(socket)),
      deadline_(*this, expired<&Connection::on_deadline>),
      wait_(*this, expired<&Connection::on_wait_deadline>) {
  population_.fetch_add(1);
}

template <class Mutex>
Connection<Mutex>::~Connection() {
  population_.fetch_sub(1);
}

template <class Mutex>
void Connection<Mutex>::serve(SessionId id, std::string address) {
  try {
    session_.emplace(id, std::move(address), worker_.services, worker_.home);
  } catch (const std::bad_alloc&) {
    worker_.services.statistics.dropped_connections.count();
    spdlog::error("out of memory: a connection is dropped");
    return close();
  }
  wait_readable();
}

template <class Mutex>
void Connection<Mutex>::refuse(std::string_view farewell) {
  phase_ = Phase::closing;
  worker_.output.append(farewell);
  flush();
  if (phase_ == Phase::closing) close_gently();
}

/// What a handler throws ends the process here (noexcept), as long as somebody owns the connection: other threads still
/// serve, and would see it closed with its locks not free.
template <class Mutex>
template <class Handler>
auto Connection<Mutex>::bound(Handler handler) {
  return [self = this->shared_from_this(), handler](const auto&... error) noexcept {
    if (self->phase_ != Phase::closed) handler(*self, error...);
  };
}

// ---- reading and executing ----

template <class Mutex>
void Connection<Mutex>::wait_readable() {
  if (std::exchange(reading_, true)) return;
  socket_.async_wait(Socket::wait_read, bound([](Connection& self, const Error& error) {
                       self.reading_ = false;
                       error ? self.peer_failed(error) : self.on_readable();
                     }));
}

template <class Mutex>
void Connection<Mutex>::on_readable() {
  if (phase_ == Phase::ending || has_turn_to_take()) return;  // a wait read on, and is over
  Error error;
  const std::size_t bytes = socket_.read_some(asio::buffer(worker_.input), error);
  if (would_block(error)) return wait_readable();
  if (error && error != asio::error::eof) return peer_failed(error);
  peer_done_ = error == asio::error::eof;
  if (phase_ == Phase::closing) return peer_done_ ? close() : wait_readable();
  if (peer_done_) return proceed(session_->finish());
  proceed(session_->receive({worker_.input.data(), bytes}, worker_.services_now(), output()));
}

/// Where the session appends: to what waits already, or else to the buffer that all connections of the thread share.
template <class Mutex>
std::string& Connection<Mutex>::output() {
  return unsent_.empty() ? worker_.output : unsent_;
}

template <class Mutex>
void Connection<Mutex>::proceed(Next next) {
  next_ = next;
  worker_.bring_wakeups();
  if (next_ != Next::wait) end_wait();
  flush();
  if (phase_ != Phase::serving) return;
  switch (next_) {
    case Next::read:
      return wait_readable();
    case Next::wait:
      if (worker_.services.turn.wait_begun) begin_wait();
      return wait_readable();
    case Next::turn:
    case Next::drain:
      return take_turn_if_drained();
    case Next::end:
      return end();
  }
}

/// Until it is taken, the session is not to be given any input.
template <class Mutex>
bool Connection<Mutex>::has_turn_to_take() const {
  return phase_ == Phase::serving && (next_ == Next::turn || next_ == Next::drain);
}

/// Puts the session's next turn behind those of the others; only if it has one to take.
template <class Mutex>
void Connection<Mutex>::take_turn_if_drained() {
  if (!has_turn_to_take() || unsent_.size() >= worker_.services.settings.output_bytes_max) return;
  if (std::exchange(turn_pending_, true)) return;
  asio::post(worker_.context, bound([](Connection& self) {
               self.turn_pending_ = false;
               if (self.phase_ == Phase::serving)
                 self.proceed(self.session_->go_on(self.worker_.services_now(), self.output()));
             }));
}

// ---- waiting ----

/// Its first, or the next one. Counted from now, as the turn's moment may lie before its execution by all that the turn
/// has done, and W1 lets no wait end early.
template <class Mutex>
void Connection<Mutex>::begin_wait() {
  worker_.waiting[session_->id()] = this;
  const auto left = std::chrono::milliseconds(session_->deadline() - worker_.services.turn.now);
  worker_.expiries.set(wait_, Worker<Mutex>::Clock::now() + left);
}

template <class Mutex>
void Connection<Mutex>::end_wait() {
  if (worker_.waiting.erase(session_->id()) != 0) wait_.lift();
}

template <class Mutex>
void Connection<Mutex>::on_wait_deadline() {
  proceed(session_->time_out(worker_.services_now(), output()));
}

template <class Mutex>
void Connection<Mutex>::wake(const Answer& answer) {
  proceed(session_->wake(answer, worker_.services_now(), output()));
}

// ---- writing ----

/// Sends what the session has just written, and keeps what the kernel does not take. Nothing where older replies wait
/// already: the new ones stand behind them, and the wait goes on.
template <class Mutex>
void Connection<Mutex>::flush() {
  if (writing_) return;
  const auto sent = send(worker_.output);
  if (sent && *sent < worker_.output.size()) unsent_.assign(worker_.output, *sent);
  worker_.output.clear();
  if (unsent_.empty()) return;
  set_deadline(worker_.peer_timeout);
  wait_writable();
}

/// One attempt: how many bytes were taken, or nothing if the connection is broken, and lost then.
template <class Mutex>
std::optional<std::size_t> Connection<Mutex>::send(std::string_view bytes) {
  if (bytes.empty()) return 0;
  Error error;
  const std::size_t sent = socket_.write_some(asio::buffer(bytes), error);
  if (!error || would_block(error)) return sent;
  peer_failed(error);
  return std::nullopt;
}

template <class Mutex>
void Connection<Mutex>::wait_writable() {
  LOCKD_CHECK(!writing_, "one write in flight, ever");
  writing_ = true;
  socket_.async_wait(Socket::wait_write, bound([](Connection& self, const Error& error) {
                       self.writing_ = false;
                       error ? self.peer_failed(error) : self.on_writable();
                     }));
}

template <class Mutex>
void Connection<Mutex>::on_writable() {
  const auto sent = send(unsent_);
  if (!sent) return;
  unsent_.erase(0, *sent);
  if (!unsent_.empty()) {
    if (*sent > 0 && phase_ == Phase::serving) set_deadline(worker_.peer_timeout);
    wait_writable();
  } else {
    std::string().swap(unsent_);  // its memory too
    if (phase_ == Phase::serving) deadline_.lift();
    if (phase_ == Phase::closing) return say_goodbye();
  }
  take_turn_if_drained();
}

// ---- the end ----

/// S2. Safe to come from anywhere and more than once: only a serving connection has an end to begin.
template <class Mutex>
void Connection<Mutex>::end() {
  if (phase_ != Phase::serving) return;
  phase_ = Phase::ending;
  end_wait();
  worker_.ends.push(this->shared_from_this());
}

template <class Mutex>
bool Connection<Mutex>::end_some(std::size_t locks_max) {
  const bool is_over = session_->end_some(worker_.services_now(), locks_max);
  worker_.bring_wakeups();
  if (is_over) close_gently();
  return is_over;
}

/// A reset is a client's business; that a host has vanished an operator wants to know.
template <class Mutex>
void Connection<Mutex>::peer_failed(const Error& error) {
  const bool vanished = error == asio::error::timed_out || error == asio::error::host_unreachable;
  if (phase_ == Phase::serving && vanished) {
    spdlog::info("{} has vanished ({}): its connection ends", *worker_.services.registry.address(session_->id()),
                 error.message());
  }
  lose_peer();
}

/// The peer is not there any more: nothing can be sent or read.
template <class Mutex>
void Connection<Mutex>::lose_peer() {
  unsent_.clear();
  peer_done_ = true;
  deadline_.lift();
  phase_ == Phase::closing ? close() : end();
}

/// S3: the session is over and its locks are free; its replies may still be on their way.
template <class Mutex>
void Connection<Mutex>::close_gently() {
  phase_ = Phase::closing;
  if (peer_done_ && unsent_.empty()) return close();
  set_deadline(closing_time);
  if (unsent_.empty()) say_goodbye();
}

/// All is sent. To close a socket with input unread would make the kernel reset the connection, and the peer might lose
/// replies that it has not read yet: so the peer is told that no more comes, and closes first.
template <class Mutex>
void Connection<Mutex>::say_goodbye() {
  if (peer_done_) return close();
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  wait_readable();
}

template <class Mutex>
void Connection<Mutex>::close() {
  phase_ = Phase::closed;
  deadline_.lift();
  Error ignored;
  socket_.close(ignored);
}

// ---- the deadline ----

/// As in bound().
template <class Mutex>
template <void (Connection<Mutex>::*Expired)()>
void Connection<Mutex>::expired(Connection& self) noexcept {
  const auto alive = self.shared_from_this();
  (self.*Expired)();
}

template <class Mutex>
void Connection<Mutex>::set_deadline(std::chrono::seconds delay) {
  worker_.expiries.set(deadline_, Worker<Mutex>::Clock::now() + delay);
}

template <class Mutex>
void Connection<Mutex>::on_deadline() {
  if (phase_ == Phase::closing) return close();
  if (phase_ == Phase::ending) return;  // closing has a deadline of its own (S3)
  spdlog::info("{} took no replies for {} s: its connection ends", *worker_.services.registry.address(session_->id()),
               worker_.peer_timeout.count());
  lose_peer();
}

template class Connection<engine::NullMutex>;
template class Connection<std::mutex>;

}  // namespace lockd::server
