// How much memory a session keeps (F5, F6, L5).
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "engine/test_heap.h"
#include "server/test_server.h"

namespace lockd::server {
namespace {

class SessionMemory : public testing::Test {
 protected:
  // What the client's session keeps on the heap beyond what it had when it was new, after it was asked this. (The
  // tables keep room of their own, so they are warmed up by a session that asks the same before.)
  std::int64_t kept_after(const std::string& requests) {
    TestClient(server_, ++last_number_).ask(requests + "\nquit\n");
    TestClient client(server_, ++last_number_);
    const std::int64_t before = heap_bytes_in_use;
    client.ask(requests);
    const std::int64_t kept = heap_bytes_in_use - before;
    client.end();
    return kept;
  }

  TestServer<> server_;
  std::uint64_t last_number_ = 0;
};

TEST_F(SessionMemory, an_idle_session_keeps_no_heap_after_plain_requests) {
  EXPECT_EQ(kept_after("i k\nsi k\nping\nme\nq\nfrob\n\n"), 0);
  EXPECT_EQ(kept_after("i " + std::string(5000, 'k') + "\n"), 0);
}

TEST_F(SessionMemory, an_idle_session_keeps_no_heap_after_requests_in_pieces) {
  TestClient warm_up(server_, ++last_number_);  // what a session has kept the thread keeps for the next one
  warm_up.ask("i " + std::string(5000, 'k'));
  warm_up.ask(std::string(1000, 'k') + "\n");
  TestClient client(server_, ++last_number_);
  const std::int64_t before = heap_bytes_in_use;
  client.ask("i " + std::string(5000, 'k'));
  EXPECT_GE(heap_bytes_in_use - before, 5000);
  EXPECT_LE(heap_bytes_in_use - before, 6000) << "no more than the beginning of the line needs";
  client.ask(std::string(1000, 'k') + "\n");
  EXPECT_EQ(heap_bytes_in_use - before, 0);
}

TEST_F(SessionMemory, a_session_keeps_no_more_than_what_is_left_behind_turns) {
  std::string turns;  // two
  for (int i = 0; i < 2'000; ++i) turns += "i key-of-21-characters\n";
  TestClient holder(server_, ++last_number_);
  holder.ask("g held\n");
  TestClient(server_, ++last_number_).ask(turns + "gw 60000 held\nping\n");  // the tables keep room of their own
  for (const std::string left : {"i k", "gw 60000 held\nping\n"}) {
    TestClient client(server_, ++last_number_);
    const std::int64_t before = heap_bytes_in_use;
    client.receive(turns + left);
    EXPECT_EQ(client.next, Next::turn);
    client.finish_asking();
    EXPECT_LT(heap_bytes_in_use - before, 1000) << left;
    client.end();
  }
}

TEST_F(SessionMemory, an_idle_session_keeps_no_heap_after_a_key_that_was_folded) {
  EXPECT_EQ(kept_after("i a  " + std::string(5000, 'k') + "\n"), 0);
}

TEST_F(SessionMemory, an_idle_session_keeps_no_heap_after_a_listing) {
  EXPECT_EQ(kept_after("d\nsd\nd k\ndump\nwho\n"), 0);
}

TEST_F(SessionMemory, F5_an_idle_session_keeps_no_heap_after_it_was_drained) {
  std::string requests;
  for (int i = 0; i < 60'000; ++i) requests += "i k\n";
  EXPECT_EQ(kept_after(requests), 0);
}

TEST_F(SessionMemory, W2_an_idle_session_keeps_no_heap_after_a_wait) {
  TestClient holder(server_, ++last_number_);
  TestClient first(server_, ++last_number_);  // the tables keep room of their own from its wait on
  TestClient second(server_, ++last_number_);
  const std::string key(200, 'k');
  std::int64_t before = 0;
  for (TestClient& client : {std::ref(first), std::ref(second)}) {
    before = heap_bytes_in_use;
    holder.ask("g " + key + "\n");
    client.ask("gw 60000 " + key + "\nping\n");
    holder.ask("r " + key + "\n");
    EXPECT_EQ(client.take_output(), "1 Lock Get Success: " + key + "\n1 pong\n");
    client.ask("r " + key + "\n");
  }
  EXPECT_EQ(heap_bytes_in_use - before, 0);
}

TEST(SpareWaitsMemory, W2_a_wait_that_is_over_is_kept_for_the_next_one_but_not_with_a_long_key) {
  SpareWaits spares;
  const std::int64_t before = heap_bytes_in_use;
  spares.give_back(spares.take(std::string(5000, 'k'), 1));
  EXPECT_EQ(heap_bytes_in_use - before, 0);
  spares.give_back(spares.take(std::string(200, 'k'), 1));
  EXPECT_GT(heap_bytes_in_use - before, 200);
}

TEST_F(SessionMemory, W2_a_session_that_waits_keeps_its_key_once_be_it_folded) {
  const std::string key = "a " + std::string(5000, 'k');
  const std::string folded = "a \t" + std::string(5000, 'k');
  TestClient holder(server_, ++last_number_);
  holder.ask("g " + key + "\n");
  TestClient(server_, ++last_number_).ask("gw 60000 " + key + "\n");  // the tables keep room of their own from it on
  for (const std::string& written : {key, folded}) {
    TestClient client(server_, ++last_number_);
    const std::int64_t before = heap_bytes_in_use;
    client.ask("gw 60000 " + written + "\n");
    EXPECT_EQ(client.next, Next::wait);
    EXPECT_LT(heap_bytes_in_use - before, 6000);
    client.end();
  }
}

TEST_F(SessionMemory, F6_a_line_without_an_end_is_not_kept) {
  TestClient client(server_, ++last_number_);
  const std::string chunk(64 * 1024, 'x');
  const std::int64_t before = heap_bytes_in_use;
  for (int i = 0; i < 24 * 16; ++i) {
    client.ask(chunk);
    ASSERT_EQ(heap_bytes_in_use - before, 0);
  }
}

TEST_F(SessionMemory, F5_a_client_that_never_reads_costs_its_bound_and_its_unread_input) {
  TestClient client(server_, ++last_number_);
  std::string requests;
  while (requests.size() < 64 * 1024) requests += "i k\n";
  const std::int64_t before = heap_bytes_in_use;
  while (client.next == Next::read) client.receive(requests);
  const auto output = static_cast<std::int64_t>(client.output.capacity());
  EXPECT_LE(client.output.size(), server_.settings.output_bytes_max + 100);
  EXPECT_LE(heap_bytes_in_use - before - output, 64 * 1024 + 1000);
}

TEST_F(SessionMemory, L5_a_listing_of_many_keys_keeps_only_a_few) {
  TestClient holder(server_, ++last_number_);
  for (int i = 0; i < 50'000; ++i) holder.ask("g key" + std::to_string(i) + "\n");
  TestClient client(server_, ++last_number_);
  client.output.reserve(2 * Listing<engine::NullMutex>::slice_bytes_max);
  const std::int64_t before = heap_bytes_in_use;
  client.receive("d\n");
  for (; client.next == Next::turn; client.go_on()) {
    ASSERT_LT(heap_bytes_in_use - before, 16 * 1024) << "between slices";
    client.output.clear();  // and keeps its capacity
  }
}

TEST_F(SessionMemory, L5_a_key_with_20000_holders_is_listed_within_bounds) {
  constexpr std::int64_t holder_count = 20'000;
  server_.settings.output_bytes_max = 1000;
  std::deque<TestClient> holders;
  for (std::int64_t i = 0; i < holder_count; ++i) holders.emplace_back(server_, ++last_number_).ask("sg k\n");
  TestClient client(server_, ++last_number_);
  const std::int64_t before = heap_bytes_in_use;
  heap_bytes_in_use_peak = before;
  client.receive("sd\n");
  std::size_t line_count = 0;
  while (client.next == Next::turn || client.next == Next::drain) {
    ASSERT_LT(client.output.size(), 1000 + Listing<engine::NullMutex>::slice_bytes_max + 100);
    line_count += static_cast<std::size_t>(std::ranges::count(client.take_output(), '\n'));
    client.go_on();
  }
  line_count += static_cast<std::size_t>(std::ranges::count(client.output, '\n'));
  EXPECT_EQ(line_count, static_cast<std::size_t>(holder_count));
  // Its holders of one moment, 16 bytes each (twice while a vector might grow), and a slice of output that doubles.
  EXPECT_LT(heap_bytes_in_use_peak - before, 2 * 16 * holder_count + 4 * 64 * 1024);
}

TEST_F(SessionMemory, L5_many_holders_of_many_keys_cost_a_slow_reader_no_more_than_one_keys) {
  constexpr std::int64_t holder_count = 1000;
  server_.settings.output_bytes_max = 1;
  std::string requests;
  for (int key = 0; key < 100; ++key) requests += "sg k" + std::to_string(key) + "\n";
  std::deque<TestClient> holders;
  for (std::int64_t i = 0; i < holder_count; ++i) holders.emplace_back(server_, ++last_number_).ask(requests);
  TestClient client(server_, ++last_number_);
  const std::int64_t before = heap_bytes_in_use;
  heap_bytes_in_use_peak = before;
  client.receive("sd\n");  // and reads nothing
  EXPECT_EQ(client.next, Next::drain);
  EXPECT_LT(heap_bytes_in_use_peak - before, 2 * 16 * holder_count + 4 * 64 * 1024);
}

}  // namespace
}  // namespace lockd::server
