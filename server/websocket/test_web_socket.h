// WebSockets over loopback, for tests: what a client sends, and the frames that it gets.
#ifndef LOCKD_SERVER_WEBSOCKET_TEST_WEB_SOCKET_H_
#define LOCKD_SERVER_WEBSOCKET_TEST_WEB_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "server/test_connection.h"
#include "server/websocket/web_socket_connection.h"

namespace lockd::server {

inline constexpr std::uint8_t opcode_of_text = 1;
inline constexpr std::uint8_t opcode_of_close = 8;
inline constexpr std::uint8_t opcode_of_ping = 9;

inline constexpr std::string_view handshake_request =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// A client's frame of less than 64 KiB, its mask all zeros.
inline std::string frame(std::string_view payload, std::uint8_t opcode = opcode_of_text) {
  LOCKD_CHECK(payload.size() < 65536, "no test needs more");
  std::string made(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    made += static_cast<char>(0x80 | payload.size());
  } else {
    made += static_cast<char>(0x80 | 126);
    made += static_cast<char>(payload.size() >> 8);
    made += static_cast<char>(payload.size() & 0xFF);
  }
  return made + std::string(4, '\0') + std::string(payload);
}

/// A close frame with code 1000.
inline std::string close_frame() { return frame("\x03\xE8", opcode_of_close); }

/// What a client was sent.
struct Received {
  std::vector<std::string> messages;  // those that are whole
  std::string part;                   // of one that is not
  std::optional<int> close_code;
  std::size_t bytes_after_close = 0;  // of frames, which there must be none of
};

/// The frames that are whole in `bytes`, which begin with one.
inline Received parse_frames(std::string_view bytes) {
  Received received;
  while (bytes.size() >= 2 && !received.close_code) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    std::size_t header = 2;
    std::size_t size = byte(1);
    if (size > 125) {
      header += size == 126 ? 2 : 8;
      if (bytes.size() < header) break;
      size = 0;
      for (std::size_t at = 2; at < header; ++at) size = size << 8 | byte(at);
    }
    if (bytes.size() < header + size) break;
    if ((byte(0) & 0x0F) == opcode_of_close) {
      received.close_code = byte(header) << 8 | byte(header + 1);
    } else if ((byte(0) & 0x08) == 0) {
      received.part += bytes.substr(header, size);
      if ((byte(0) & 0x80) != 0) received.messages.push_back(std::exchange(received.part, {}));
    }
    bytes.remove_prefix(header + size);
  }
  if (received.close_code) received.bytes_after_close = bytes.size();
  return received;
}

/// A worker that serves WebSockets to all clients.
class WebSocketWorker : public LoopbackWorker {
 public:
  using WebSocket = WebSocketConnection<engine::NullMutex>;

  /// With buffers that are soon full, but with which loopback still flows.
  std::shared_ptr<WebSocket> accept_web_socket(Peer& peer) {
    peer.socket.open(boost::asio::ip::tcp::v4());
    peer.socket.set_option(boost::asio::socket_base::receive_buffer_size(16 * 1024));
    peer.socket.connect(acceptor_.local_endpoint());
    peer.socket.non_blocking(true);
    Socket socket(context(), StreamProtocol(AF_INET, IPPROTO_TCP), acceptor_.accept().release());
    socket.set_option(boost::asio::socket_base::send_buffer_size(1));
    return std::make_shared<WebSocket>(worker_, std::move(socket), connection_count_, policy_);
  }

  /// Opens one. True when it is open; its peer's `received` is empty then.
  bool open(Peer& peer) {
    const SessionId id{++last_session_};
    accept_web_socket(peer)->serve(id, "A" + std::to_string(last_session_));
    const bool is_open = exchange(peer, handshake_request, 1).starts_with("HTTP/1.1 101 ");
    std::string().swap(peer.received);
    return is_open;
  }

  /// The peer reads along until the condition holds of what it was sent.
  template <class Condition>
  bool read_until(Peer& peer, Condition condition) {
    return run_until([&] {
      peer.read();
      return condition(parse_frames(peer.received));
    });
  }

  /// What the peer gets up to the close frame, or the end.
  Received read_to_close(Peer& peer) {
    Received received;
    read_until(peer, [&](Received now) {
      received = std::move(now);
      return received.close_code.has_value() || peer.ended;
    });
    return received;
  }

 protected:
  const WebSocketPolicy policy_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_TEST_WEB_SOCKET_H_
