// The stream below a WebSocket's frames: reads a socket, and keeps what is written.
#ifndef LOCKD_SERVER_WEBSOCKET_OUTBOX_STREAM_H_
#define LOCKD_SERVER_WEBSOCKET_OUTBOX_STREAM_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "server/edge.h"

namespace lockd::server {

/// What Beast's websocket::stream asks of its next layer. Nothing that is written waits, or fails: it is appended to
/// outbox(), from where the connection sends it when it likes. So replies and pongs stand in one order, several of them
/// go in one packet, and how much waits for a slow reader is known. Where that is bytes_max already, Beast, which reads
/// on by itself as long as pings come, goes on when the kernel takes more.
///
/// A close frame is kept apart until let_close_through(): Beast writes one as soon as it reads one, or reads what
/// breaks the rules, but nothing may follow it, and it must not be sent before the locks are free (S3).
///
/// Used on its socket's thread alone.
class OutboxStream {
 public:
  using executor_type = Socket::executor_type;
  using next_layer_type = Socket;
  using Error = boost::system::error_code;

  struct Hooks {
    std::function<void()> on_control_frame;  // Beast has written one by itself, which is to be sent later
    std::function<void()> before_read;       // it has handed out all that has come, and reads the socket; may send
  };

  OutboxStream(Socket socket, std::size_t bytes_max, Hooks hooks)
      : socket_(std::move(socket)), bytes_max_(bytes_max), hooks_(std::move(hooks)) {}

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& next_layer() { return socket_; }
  const Socket& next_layer() const { return socket_; }

  /// Not sent yet.
  std::string& outbox() { return outbox_; }

  /// The close frame, if there is one already or when there is, is the last in the outbox.
  void let_close_through() {
    keeps_close_ = false;
    outbox_ += std::exchange(close_, {});
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, Error& error) {
    return socket_.read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return socket_.read_some(buffers);
  }
  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    hooks_.before_read();
    return socket_.async_read_some(buffers, std::forward<Handler>(handler));
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return append(outbox_, buffers);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, Error& error) {
    error = {};
    return write_some(buffers);
  }
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return boost::asio::async_initiate<Handler, void(Error, std::size_t)>(
        [this](auto completed, const auto& from) {
          const bool is_kept = keeps_close_ && is_close_frame(from);
          const std::size_t written = append(is_kept ? close_ : outbox_, from);
          hooks_.on_control_frame();
          auto complete = [completed = std::move(completed), written](const Error& error) mutable {
            completed(error, written);
          };
          if (!is_kept && outbox_.size() >= bytes_max_)
            return socket_.async_wait(Socket::wait_write, std::move(complete));
          boost::asio::post(get_executor(), boost::beast::bind_front_handler(std::move(complete), Error()));
        },
        handler, buffers);
  }

 private:
  static constexpr unsigned char close_frame_begin = 0x88;  // the last frame of its message, and its opcode

  /// Beast writes each control frame in one piece.
  template <class Buffers>
  static bool is_close_frame(const Buffers& buffers) {
    for (const boost::asio::const_buffer buffer : boost::beast::buffers_range_ref(buffers))
      if (buffer.size() > 0) return *static_cast<const unsigned char*>(buffer.data()) == close_frame_begin;
    return false;
  }

  template <class Buffers>
  static std::size_t append(std::string& to, const Buffers& buffers) {
    const std::size_t before = to.size();
    for (const boost::asio::const_buffer buffer : boost::beast::buffers_range_ref(buffers))
      to.append(static_cast<const char*>(buffer.data()), buffer.size());
    return to.size() - before;
  }

  Socket socket_;
  std::size_t bytes_max_;
  Hooks hooks_;
  std::string outbox_;
  std::string close_;        // kept apart
  bool keeps_close_ = true;  // until the session is over
};

/// Beast asks for these at a WebSocket's end. The socket stays open: its outbox is still to be sent.
inline void teardown(boost::beast::role_type /*role*/, OutboxStream& /*stream*/, boost::system::error_code& error) {
  error = {};
}
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, OutboxStream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(),
                    boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code()));
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_OUTBOX_STREAM_H_
