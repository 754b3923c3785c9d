// How much memory a connection keeps.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
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

}  // namespace
}  // namespace lockd::server
