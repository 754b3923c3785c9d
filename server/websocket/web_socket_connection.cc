#include "server/websocket/web_socket_connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/error.hpp>
#include <new>
#include <utility>

#include "server/websocket/frame.h"

namespace lockd::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

/// Those after which Beast has sent a close frame: the answer to one, or one that says which rule was broken.
bool is_about_frames(const boost::system::error_code& error) {
  return error.category() == websocket::make_error_code(websocket::error::closed).category();
}

/// That the client has sent what is no HTTP request; not that it has gone.
bool is_about_http(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::end_of_stream).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

template <class Mutex>
WebSocketConnection<Mutex>::WebSocketConnection(Worker<Mutex>& worker, Socket socket,
                                                std::atomic<std::size_t>& population, const WebSocketPolicy& policy)
    : Base(worker, population, Phase::handshake),
      policy_(policy),
      stream_(std::move(socket), worker.services.settings.output_bytes_max,
              OutboxStream::Hooks{
                  .on_control_frame =
                      [this] { asio::post(worker_.context, bound([](WebSocketConnection& self) { self.flush(); })); },
                  .before_read = [this] { flush(); }}) {
  stream_.read_message_max(worker.services.settings.line_bytes_max + overlong_bytes_max);
}

template <class Mutex>
WebSocketConnection<Mutex>::~WebSocketConnection() = default;

// ---- the handshake ----

template <class Mutex>
void WebSocketConnection<Mutex>::serve(SessionId id, std::string address) {
  or_drop([&] {
    Error ignored;  // of a socket that is broken already, of which the first read tells
    socket().non_blocking(true, ignored);
    handshake_ = std::make_unique<Handshake>();
    handshake_->id = id;
    handshake_->address = std::move(address);
    handshake_->parser.header_limit(handshake_bytes_max);
    set_deadline(std::min(handshake_time_max, worker_.peer_timeout));
    http::async_read_header(stream_.next_layer(), handshake_->buffer, handshake_->parser,
                            bound([](WebSocketConnection& self, const Error& error, std::size_t /*bytes*/) {
                              self.or_drop([&] { self.on_request(error); });
                            }));
  });
}

/// Drops the connection if there is no memory for this part of its beginning.
template <class Mutex>
template <class Step>
void WebSocketConnection<Mutex>::or_drop(Step step) {
  try {
    step();
  } catch (const std::bad_alloc&) {
    worker_.services.statistics.dropped_connections.count();
    spdlog::error("out of memory: a connection is dropped");
    lose_peer();
  }
}

template <class Mutex>
void WebSocketConnection<Mutex>::on_request(const Error& error) {
  if (error) return is_about_http(error) ? refuse(refusal(error)) : close();
  const auto refused = refusal(handshake_->parser.get(), policy_);
  if (refused) return refuse(*refused);
  if (handshake_->buffer.size() > 0) return refuse(refusal(http::error::unexpected_body));
  accept();
}

template <class Mutex>
void WebSocketConnection<Mutex>::refuse(const HandshakeResponse& response) {
  if (response.result() == http::status::forbidden) {
    const std::string_view origin = handshake_->parser.get()[http::field::origin];
    note_refusal(&Statistics::refused_origins, "--ws-origin does not name " + std::string(origin.substr(0, 200)));
  } else {
    note_refusal(&Statistics::refused_handshakes,
                 std::string_view(response.body()).substr(0, response.body().size() - 1));
  }
  Error ignored;  // nothing that is written to an outbox fails
  http::write(stream_.next_layer(), response, ignored);
  close_gently();
}

template <class Mutex>
void WebSocketConnection<Mutex>::note_refusal(Counter Statistics::* counter, std::string_view why) {
  (worker_.services.statistics.*counter).count();
  if (worker_.handshake_log.allows()) spdlog::warn("{} gets no WebSocket: {}", handshake_->address, why);
}

/// Beast answers what only it looks at: the version, the key.
template <class Mutex>
void WebSocketConnection<Mutex>::accept() {
  const bool confirms = offers_subprotocol(handshake_->parser.get());
  stream_.set_option(websocket::stream_base::decorator([confirms](websocket::response_type& response) {
    complete(response);
    if (confirms) response.set(http::field::sec_websocket_protocol, {subprotocol.data(), subprotocol.size()});
  }));
  Error error;
  stream_.accept(handshake_->parser.get(), error);
  if (!error) return open_session();
  note_refusal(&Statistics::refused_handshakes, error.message());
  close_gently();
}

template <class Mutex>
void WebSocketConnection<Mutex>::open_session() {
  session_.emplace(handshake_->id, std::move(handshake_->address), worker_.services, worker_.home);
  phase_ = Phase::serving;
  handshake_.reset();
  deadline_.lift();
  flush();
  read();
}

// ---- reading ----

/// F5. What is unfinished is no reason by itself: it has to go on.
template <class Mutex>
bool WebSocketConnection<Mutex>::has_room() {
  return outbox().empty() || outbox().size() + unfinished_.size() < worker_.services.settings.output_bytes_max;
}

template <class Mutex>
bool WebSocketConnection<Mutex>::wants_input() {
  return phase_ == Phase::serving && (next_ == Next::read || next_ == Next::wait) && has_room();
}

/// Goes on with what came while the session had no use for it, or else reads; only if the session wants that.
template <class Mutex>
void WebSocketConnection<Mutex>::read() {
  if (!wants_input() || reading_) return;
  if (std::exchange(has_come_, false)) return read_error_ ? take_end() : take_message();
  reading_ = true;
  stream_.async_read_some(asio::buffer(chunk_), bound([](WebSocketConnection& self, const Error& error,
                                                         std::size_t bytes) { self.on_read(error, bytes); }));
}

template <class Mutex>
void WebSocketConnection<Mutex>::on_read(const Error& error, std::size_t bytes) {
  reading_ = false;
  if (phase_ != Phase::serving) return;
  read_error_ = error;
  chunk_bytes_ = bytes;
  has_come_ = error || stream_.is_message_done();
  if (!has_come_) keep_part();
  read();
}

/// F6: of a message that is too long no more than shows that it is.
template <class Mutex>
void WebSocketConnection<Mutex>::keep_part() {
  const std::size_t kept_max = worker_.services.settings.line_bytes_max + 2;
  message_.append(chunk_.data(), std::min(chunk_bytes_, kept_max - std::min(kept_max, message_.size())));
}

template <class Mutex>
void WebSocketConnection<Mutex>::take_message() {
  std::string_view message(chunk_.data(), chunk_bytes_);
  if (!message_.empty()) {
    keep_part();
    message = message_;
  }
  const std::size_t line_bytes_max = worker_.services.settings.line_bytes_max;
  messages_.take(message, stream_.got_binary(), line_bytes_max, worker_.line);
  std::string().swap(message_);
  call_session([&](const Services<Mutex>& services, std::string& output) {
    return session_->receive(worker_.line, services, output);
  });
}

/// S3: by a close frame, or by FIN without one.
template <class Mutex>
void WebSocketConnection<Mutex>::take_end() {
  if (!is_about_frames(read_error_) && read_error_ != asio::error::eof) return peer_failed(read_error_);
  frames_done_ = true;
  proceed(session_->finish());
}

// ---- executing ----

/// `call` calls the session, with these services, and lets it append to this output: that of the thread, unless the
/// connection keeps some itself.
template <class Mutex>
template <class Call>
void WebSocketConnection<Mutex>::call_session(Call call) {
  std::string& output = unfinished_.empty() ? worker_.output : unfinished_;
  worker_.reply_ends.clear();
  worker_.services.turn.reply_ends = &worker_.reply_ends;
  const Next next = call(worker_.services_now(), output);
  worker_.services.turn.reply_ends = nullptr;
  frame_replies(output, next);
  proceed(next);
}

/// Frames what is whole, and what is not once it is as much as may be kept (F5).
template <class Mutex>
void WebSocketConnection<Mutex>::frame_replies(std::string& output, Next next) {
  const Messages::Send send = [this](const MessagePart& part) {
    if (outbox().empty()) worker_.spare_outbox.lend(outbox());
    append_frame(outbox(), part);
  };
  std::size_t done = messages_.send_replies(output, worker_.reply_ends, worker_.services.statistics, send);
  const std::string_view rest = std::string_view(output).substr(done);
  if (next == Next::end) {
    done += Messages::send_last_words(rest, send);
  } else if (rest.size() >= worker_.services.settings.output_bytes_max) {
    done += messages_.send_part(rest, send);
  }
  if (&output == &worker_.output) {
    unfinished_.assign(output, done);
    output.clear();
  } else {
    output.erase(0, done);
    if (output.empty()) std::string().swap(output);  // its memory too
  }
}

// ---- writing ----

/// Where the session goes on reading, what has come already is executed first, so that all its replies go in one write:
/// they are sent before the socket is read again.
template <class Mutex>
void WebSocketConnection<Mutex>::send_replies() {
  if (reading_ || !wants_input()) flush();
}

/// Sends what the kernel takes at once.
template <class Mutex>
void WebSocketConnection<Mutex>::flush() {
  if (writing_ || (!outbox().empty() && !send_some())) return;
  if (!outbox().empty()) {
    if (phase_ == Phase::serving && !deadline_.is_set()) set_deadline(worker_.peer_timeout);
    return wait_writable();
  }
  if (phase_ == Phase::serving) deadline_.lift();
  say_goodbye_if_all_is_sent();
}

/// One attempt. False if the connection is broken, and lost then.
template <class Mutex>
bool WebSocketConnection<Mutex>::send_some() {
  Error error;
  const std::size_t sent = socket().write_some(asio::buffer(outbox()), error);
  if (error && !would_block(error)) {
    peer_failed(error);
    return false;
  }
  outbox().erase(0, sent);
  worker_.spare_outbox.take_back_around(outbox());
  if (sent > 0 && deadline_.is_set() && phase_ == Phase::serving) set_deadline(worker_.peer_timeout);
  return true;
}

template <class Mutex>
void WebSocketConnection<Mutex>::on_writable() {
  flush();
  take_turn_if_drained();
  read();
}

// ---- the end ----

/// S3: the session, if there was one, is over and its locks are free; its replies may still be on their way. Behind
/// them goes a close frame, unless the client's own was answered, or the handshake refused.
template <class Mutex>
void WebSocketConnection<Mutex>::close_gently() {
  phase_ = Phase::closing;
  if (peer_done_) return close();
  set_deadline(closing_time);
  stream_.next_layer().let_close_through();
  if (frames_done_ || !stream_.is_open()) {
    frames_done_ = true;
  } else {
    stream_.async_close(websocket::close_code::normal, bound([](WebSocketConnection& self, const Error& /*error*/) {
                          self.frames_done_ = true;
                          self.say_goodbye_if_all_is_sent();
                        }));
  }
  flush();
}

template <class Mutex>
void WebSocketConnection<Mutex>::give_up() {
  if (phase_ == Phase::handshake) note_refusal(&Statistics::refused_handshakes, "its handshake took too long");
  close();
}

/// To close a socket with input unread would make the kernel reset the connection, and the peer might lose what it has
/// not read yet: so the peer is told that no more comes, and closes first.
template <class Mutex>
void WebSocketConnection<Mutex>::say_goodbye_if_all_is_sent() {
  if (phase_ != Phase::closing || !frames_done_ || !outbox().empty()) return;
  if (std::exchange(said_goodbye_, true)) return;
  Error ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
  await_fin();
}

template <class Mutex>
void WebSocketConnection<Mutex>::await_fin() {
  socket().async_wait(Socket::wait_read, bound([](WebSocketConnection& self, const Error& error) {
                        error ? self.close() : self.on_goodbye();
                      }));
}

template <class Mutex>
void WebSocketConnection<Mutex>::on_goodbye() {
  Error error;
  socket().read_some(asio::buffer(worker_.input), error);
  error && !would_block(error) ? close() : await_fin();
}

template class WebSocketConnection<engine::NullMutex>;
template class WebSocketConnection<std::mutex>;

}  // namespace lockd::server
