// How much memory a connection keeps.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "engine/test_heap.h"
#include "server/test_connection.h"

namespace lockd::server {
namespace {

class ConnectionMemory : public testing::Test, protected LoopbackWorker {
 protected:
  // The peer sends requests whose replies the kernel does not take at once, and reads them in the end. Bytes in use
  // while they wait, all of the peer's own given back.
  std::int64_t let_replies_wait(Peer& peer) {
    const std::string request = "i " + std::string(1000, 'k') + "\n";
    const auto& inspected = server_.statistics[0].commands[static_cast<std::size_t>(Verb::inspect)];
    const std::uint64_t before = inspected.value();
    for (std::uint64_t i = 1; i <= 300; ++i) {
      EXPECT_EQ(peer.send_some(request), request.size());
      EXPECT_TRUE(run_until([&] { return inspected.value() == before + i; }));
    }
    const std::int64_t waiting = heap_bytes_in_use;
    EXPECT_TRUE(run_until([&] {
      peer.read();
      return peer.received.size() >= 300 * (request.size() + 17);
    }));
    EXPECT_EQ(peer.received.size(), 300 * (request.size() + 17));
    std::string().swap(peer.received);
    return waiting;
  }
};

TEST_F(ConnectionMemory, F5_replies_that_have_waited_leave_no_memory_behind) {
  Peer warm_up(context());  // buffers that all connections share
  serve(warm_up);
  let_replies_wait(warm_up);
  Peer peer(context());
  serve(peer);
  exchange(peer, "ping\n", 7);
  std::string().swap(peer.received);
  const std::int64_t before = heap_bytes_in_use;
  const std::int64_t waiting = let_replies_wait(peer);
  EXPECT_GT(waiting - before, 200'000) << "replies wait";
  EXPECT_LT(heap_bytes_in_use - before, 1000);
}

TEST_F(ConnectionMemory, requests_waits_and_hand_overs_allocate_nothing) {
  Peer one(context());
  Peer other(context());
  serve(one);
  serve(other);
  one.received.reserve(1000);
  other.received.reserve(1000);
  const std::string key = "a-key-of-21-bytes-long\n";
  const std::string taken = "1 Lock Get Success: " + key;
  const std::string get = "g " + key;
  const std::string wait = "gw 60000 " + key;
  const std::string release = "r " + key;
  const auto& waits = server_.statistics[0].commands[static_cast<std::size_t>(Verb::get_wait)];
  const auto round = [&] {
    one.received.clear();
    other.received.clear();
    one.send_some(get);
    ASSERT_TRUE(run_until([&] { return one.read(), one.received == taken; }));
    const std::uint64_t before = waits.value();
    other.send_some(wait);
    ASSERT_TRUE(run_until([&] { return waits.value() > before; }));
    one.send_some(release);
    ASSERT_TRUE(run_until([&] { return other.read(), other.received == taken; }));
    other.send_some(release);
    ASSERT_TRUE(run_until([&] { return keys() == 0; }));
    one.read();
    other.read();
  };
  for (int i = 0; i < 100; ++i) round();
  const std::int64_t before = allocation_count;
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(allocation_count - before, 0);
}

TEST_F(ConnectionMemory, an_idle_connection_costs_less_than_a_kilobyte) {
  constexpr std::int64_t connection_count = 200;
  std::deque<Peer> peers;
  const auto serve_one = [&] {
    Peer& peer = peers.emplace_back(context());
    serve(peer);
    exchange(peer, "g " + std::to_string(peers.size()) + "\nr " + std::to_string(peers.size()) + "\n", 48);
    std::string().swap(peer.received);
  };
  for (std::int64_t i = 0; i < connection_count; ++i) serve_one();
  const std::int64_t before = heap_bytes_in_use;
  for (std::int64_t i = 0; i < connection_count; ++i) serve_one();
  const std::int64_t each = (heap_bytes_in_use - before) / connection_count;
  RecordProperty("bytes", static_cast<int>(each));
  EXPECT_LE(each, 1024) << "the peers' own sockets counted too";
}

TEST_F(ConnectionMemory, to_close_a_socket_for_which_nobody_waits_allocates_nothing) {
  const auto closes = [&](bool waits) {
    Peer peer(context());
    peer.connect(acceptor_.local_endpoint());
    PolledSocket socket(worker_.poller, acceptor_.accept().release());
    if (waits) socket.async_wait(PolledSocket::wait_read, [](const boost::system::error_code&) {});
    const std::int64_t before = allocation_count;
    boost::system::error_code error;
    socket.close(error);
    return allocation_count - before;
  };
  EXPECT_EQ(closes(false), 0);
  EXPECT_LE(closes(true), 1);
}

}  // namespace
}  // namespace lockd::server
