// How much memory an open WebSocket keeps.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/test_heap.h"
#include "server/websocket/frame.h"
#include "server/websocket/test_web_socket.h"

namespace lockd::server {
namespace {

class WebSocketMemory : public testing::Test, protected WebSocketWorker {
 protected:
  void expect(Peer& peer, std::string_view request, std::string_view reply) {
    EXPECT_EQ(exchange(peer, frame(request), 2 + reply.size()).substr(2), reply);
  }

  // Bytes that so many open WebSockets keep, each, when they have taken a lock and given it back.
  std::int64_t bytes_of_each(std::size_t count) {
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(std::make_unique<Peer>(context()));
    const std::int64_t before = heap_bytes_in_use;
    for (const auto& peer : peers) {
      EXPECT_TRUE(open(*peer));
      expect(*peer, "g key", "1 Lock Get Success: key");
      expect(*peer, "r key", "1 Lock Release Success: key");
      std::string().swap(peer->received);
    }
    return (heap_bytes_in_use - before) / static_cast<std::int64_t>(count);
  }

  enum class Failed { nothing, opening, thread };

  /// The n-th allocation fails of those that one takes from its first byte to its first read. What that let fail: the
  /// thread where it was one of Asio's own.
  Failed open_without_memory(std::int64_t n) {
    Peer peer(context());
    auto opening = accept_web_socket(peer);
    peer.send_some(handshake_request);
    allocations_until_one_fails = n;
    try {
      opening->serve(SessionId{++last_session_}, "A");
      opening.reset();
      for (int i = 0; i < 20; ++i) context().run_one_for(std::chrono::milliseconds(1));
    } catch (const std::bad_alloc&) {
      return Failed::thread;
    }
    return std::exchange(allocations_until_one_fails, never_fails) <= 0 ? Failed::opening : Failed::nothing;
  }
};

TEST_F(WebSocketMemory, an_idle_one_keeps_less_than_4_KiB) {
  bytes_of_each(20);  // buffers that all connections share
  ASSERT_TRUE(run_until_over());
  const std::int64_t bytes = bytes_of_each(100);
  RecordProperty("bytes", static_cast<int>(bytes));
  EXPECT_LT(bytes, 4096);
  EXPECT_GT(bytes, 1536) << "Beast's own read buffer is among it";
}

TEST_F(WebSocketMemory, requests_allocate_nothing) {
  Peer peer(context());
  ASSERT_TRUE(open(peer));
  const std::string key = "a-key-of-21-bytes-long";
  const std::string requests = frame("g " + key) + frame("r " + key);
  std::string replies;
  append_frame(replies, {.payload = "1 Lock Get Success: " + key});
  append_frame(replies, {.payload = "1 Lock Release Success: " + key});
  peer.received.reserve(1000);
  const auto play = [&] {
    peer.received.clear();
    peer.send_some(requests);
    ASSERT_TRUE(run_until([&] { return peer.read(), peer.received == replies; }));
  };
  for (int i = 0; i < 10; ++i) play();
  const std::int64_t before = allocation_count;
  for (int i = 0; i < 100; ++i) play();
  EXPECT_EQ(allocation_count - before, 0);
}

TEST_F(WebSocketMemory, one_that_finds_no_memory_to_open_is_dropped_and_counted) {
  const Counter& dropped = server_.statistics[0].dropped_connections;
  for (std::int64_t n = 1;; ++n) {
    const std::uint64_t before = dropped.value();
    const Failed failed = open_without_memory(n);
    ASSERT_TRUE(run_until_over()) << "allocation " << n;
    EXPECT_EQ(server_.registry.size(), 0U) << "allocation " << n;
    EXPECT_EQ(dropped.value(), before + (failed == Failed::opening ? 1 : 0)) << "allocation " << n;
    if (failed == Failed::nothing) break;
  }
  EXPECT_GT(dropped.value(), 5U);
}

}  // namespace
}  // namespace lockd::server
