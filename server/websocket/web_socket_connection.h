// The pump between a WebSocket and a session.
#ifndef LOCKD_SERVER_WEBSOCKET_WEB_SOCKET_CONNECTION_H_
#define LOCKD_SERVER_WEBSOCKET_WEB_SOCKET_CONNECTION_H_

#include <array>
#include <atomic>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/connection_base.h"
#include "server/statistics.h"
#include "server/websocket/handshake.h"
#include "server/websocket/messages.h"
#include "server/websocket/outbox_stream.h"
#include "server/worker.h"

namespace lockd::server {

/// F6: so much beyond the longest line a message may have and still be answered, without being kept. Of a longer one
/// nothing is read: the WebSocket is closed (1009) at the header of the frame that says so.
inline constexpr std::size_t overlong_bytes_max = 64 * 1024;

/// One accepted socket, from serve() to its close. As Connection does, it reads as long as its session has use for it
/// and the client takes its replies (F5), keeps what the kernel does not take, and notices whoever takes nothing. A
/// message that comes meanwhile is kept, one; pings are answered, by Beast.
///
/// Life: handshake; then as Connection's, serving, ending and closing. A close frame of the client is the end of its
/// input (S3), as is FIN; the one that answers it, or tells of an end of the session's own, goes out when the locks are
/// free, behind the replies. Owned by its pending handlers and, while it is ending, by its worker's EndQueue. All on
/// its worker's thread.
///
/// Its socket is Asio's own: Beast's frames want that.
template <class Mutex>
class WebSocketConnection final : public ConnectionBase<WebSocketConnection<Mutex>, Mutex> {
 public:
  /// `population`: those of its kind, itself included, while it lives. It and `policy` outlive it.
  WebSocketConnection(Worker<Mutex>& worker, Socket socket, std::atomic<std::size_t>& population,
                      const WebSocketPolicy& policy);
  ~WebSocketConnection() override;

  /// Reads the handshake, within handshake_time_max, and opens the session when that was well.
  void serve(SessionId id, std::string address);

 private:
  using Base = ConnectionBase<WebSocketConnection<Mutex>, Mutex>;
  friend Base;

  using Base::bound;
  using Base::close;
  using Base::deadline_;
  using Base::lose_peer;
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

  /// What is known of a client that has no session yet.
  struct Handshake {
    SessionId id;
    std::string address;
    boost::beast::flat_buffer buffer{handshake_bytes_max};
    boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
  };

  Socket& socket() { return stream_.next_layer().next_layer(); }
  std::string& outbox() { return stream_.next_layer().outbox(); }

  template <class Step>
  void or_drop(Step step);
  void on_request(const Error& error);
  void refuse(const HandshakeResponse& response);
  void note_refusal(Counter Statistics::* counter, std::string_view why);
  void accept();
  void open_session();

  bool has_room();
  bool wants_input();
  void read();
  void on_read(const Error& error, std::size_t bytes);
  void keep_part();
  void take_message();
  void take_end();

  template <class Call>
  void call_session(Call call);
  void frame_replies(std::string& output, Next next);

  void send_replies();
  void flush();
  bool send_some();
  void on_writable();
  void forget_output() { outbox().clear(); }

  void close_gently();
  bool is_writable() { return server::is_writable(socket().native_handle()); }
  void give_up();
  void say_goodbye_if_all_is_sent();
  void await_fin();
  void on_goodbye();

  const WebSocketPolicy& policy_;
  boost::beast::websocket::stream<OutboxStream, false> stream_;  // without compression, which takes much memory
  std::unique_ptr<Handshake> handshake_;
  Messages messages_;
  std::string unfinished_;         // what is there of a reply that is not whole, or beyond all replies
  std::array<char, 256> chunk_{};  // what is read into: most messages are whole in it
  std::string message_;            // of one that is not: what was read before
  std::size_t chunk_bytes_ = 0;    // so much in it
  Error read_error_;               // that of the last read
  bool reading_ = false;           // a read is pending
  bool has_come_ = false;          // a message, or the end, which the session was not given yet
  bool frames_done_ = false;       // no frame is sent or read any more
  bool said_goodbye_ = false;      // FIN is sent, and the peer's awaited
};

extern template class WebSocketConnection<engine::NullMutex>;
extern template class WebSocketConnection<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_WEB_SOCKET_CONNECTION_H_
