#include "server/connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <new>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

template <class Mutex>
Connection<Mutex>::Connection(Worker<Mutex>& worker, Socket socket, std::atomic<std::size_t>& population)
    : Base(worker, population, Phase::serving), socket_(std::move(socket)) {}

template <class Mutex>
Connection<Mutex>::~Connection() = default;

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
  if (phase_ == Phase::closing) return on_readable_while_closing();
  if (peer_done_) return proceed(session_->finish());
  proceed(session_->receive({worker_.input.data(), bytes}, worker_.services_now(bytes), output()));
}

/// What comes now is nobody's. The peer's end closes the connection, but for replies that are still on their way (S3).
template <class Mutex>
void Connection<Mutex>::on_readable_while_closing() {
  if (!peer_done_) return wait_readable();
  if (unsent_.empty()) close();
}

/// Where the session appends: to what waits already, or else to the buffer that all connections of the thread share.
template <class Mutex>
std::string& Connection<Mutex>::output() {
  return unsent_.empty() ? worker_.output : unsent_;
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

template class Connection<engine::NullMutex>;
template class Connection<std::mutex>;

}  // namespace lockd::server
