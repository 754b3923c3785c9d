// How much memory an open WebSocket keeps.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/test_heap.h"
#include "server/test_connection.h"
#include "server/websocket/web_socket_connection.h"

namespace lockd::server {
namespace {

constexpr std::string_view handshake =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// A text message of less than 126 bytes, its mask all zeros.
std::string frame(std::string_view message) {
  const std::string head{static_cast<char>(0x81), static_cast<char>(0x80 | message.size()), 0, 0, 0, 0};
  return head + std::string(message);
}

class WebSocketMemory : public testing::Test, protected LoopbackWorker {
 protected:
  void open(Peer& peer) {
    peer.connect(acceptor_.local_endpoint());
    Socket socket(context(), StreamProtocol(AF_INET, IPPROTO_TCP), acceptor_.accept().release());
    const SessionId id{++last_session_};
    std::make_shared<WebSocketConnection<engine::NullMutex>>(worker_, std::move(socket), connection_count_, policy_)
        ->serve(id, "A" + std::to_string(last_session_));
    exchange(peer, handshake, 1);
    ASSERT_TRUE(peer.received.starts_with("HTTP/1.1 101 ")) << peer.received;
  }

  void expect(Peer& peer, std::string_view request, std::string_view reply) {
    EXPECT_EQ(exchange(peer, frame(request), 2 + reply.size()).substr(2), reply);
  }

  // Bytes that so many open WebSockets keep, each, when they have taken a lock and given it back.
  std::int64_t bytes_of_each(std::size_t count) {
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(std::make_unique<Peer>(context()));
    const std::int64_t before = heap_bytes_in_use;
    for (const auto& peer : peers) {
      open(*peer);
      expect(*peer, "g key", "1 Lock Get Success: key");
      expect(*peer, "r key", "1 Lock Release Success: key");
      std::string().swap(peer->received);
    }
    return (heap_bytes_in_use - before) / static_cast<std::int64_t>(count);
  }

  const WebSocketPolicy policy_;
};

TEST_F(WebSocketMemory, an_idle_one_keeps_less_than_4_KiB) {
  bytes_of_each(20);  // buffers that all connections share
  ASSERT_TRUE(run_until_over());
  const std::int64_t bytes = bytes_of_each(100);
  RecordProperty("bytes", static_cast<int>(bytes));
  EXPECT_LT(bytes, 4096);
  EXPECT_GT(bytes, 1536) << "Beast's own read buffer is among it";
}

}  // namespace
}  // namespace lockd::server
