// How often a request that finds all warmed up asks for memory: not once, however many come with one read. Where the
// lock table grows it is one request in many: a chunk holds a thousand locks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/test_heap.h"
#include "server/test_traffic.h"

namespace lockd::server {
namespace {

std::vector<std::string> traffic_names() {
  std::vector<std::string> names;
  for (const Traffic& traffic : all_traffic()) names.push_back(traffic.name);
  return names;
}

class SessionAllocations : public testing::TestWithParam<std::string> {};

TEST_P(SessionAllocations, none_for_a_request) {
  const std::vector<Traffic> all = all_traffic();
  const Traffic& traffic = *std::ranges::find(all, GetParam(), &Traffic::name);
  TrafficPlay play(traffic);
  ASSERT_EQ(play.compare(), "");
  for (int warm_up = 0; warm_up < 3; ++warm_up) play.play();
  const std::int64_t before = allocation_count;
  play.play();
  const std::size_t allowed = traffic.grows ? traffic.request_count() / 500 : 0;
  EXPECT_LE(allocation_count - before, static_cast<std::int64_t>(allowed))
      << "in " << traffic.request_count() << " requests";
}

// The verbs about locks that no traffic has.
TEST(SessionAllocationsOfOneClient, none_for_tokens_lines_and_limited_gets) {
  TestServer<> server;
  TestClient client(server, 1);
  const auto play = [&] {
    client.receive("g k\nt x\niw k\nr k\nsgl 9 k\nst x\nsiw k\nsr k\n");
    EXPECT_EQ(client.output,
              "1 Lock Get Success: k\n0 Lock Not Held: x\n0 Lock Waiters: k\n1 Lock Release Success: k\n"
              "1 Shared Lock Get Success: k\n0 Shared Lock Not Held: x\n0 Shared Lock Waiters: k\n"
              "1 Shared Lock Release Success: k\n");
    client.output.clear();
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) play();
  const std::int64_t before = allocation_count;
  for (int times = 0; times < 100; ++times) play();
  EXPECT_EQ(allocation_count - before, 0);
}

TEST(SessionAllocationsOfOneClient, none_for_what_is_left_of_a_read_at_the_end_of_a_turn) {
  constexpr int request_count = 2'000;
  TestServer<> server;
  TestClient client(server, 1);
  std::string requests;
  for (int i = 0; i < request_count; ++i) requests += "i key-of-21-characters\n";
  int turns = 0;
  const auto play = [&] {
    client.receive(requests);
    for (; client.next == Next::turn; ++turns) client.go_on();
    EXPECT_EQ(std::ranges::count(client.output, '\n'), request_count);
    client.output.clear();
  };
  play();
  const std::int64_t before = allocation_count;
  play();
  EXPECT_EQ(allocation_count - before, 0);
  EXPECT_EQ(turns, 2) << "one beyond the first of each read";
}

// That the counting sees what it should: a request cut in two is kept in between.
TEST(SessionAllocationsCanary, a_request_in_pieces_is_kept) {
  TestServer<> server;
  TestClient client(server, 1);
  const std::int64_t before = allocation_count;
  client.receive("i " + std::string(1000, 'k'));
  EXPECT_GT(allocation_count - before, 0);
}

INSTANTIATE_TEST_SUITE_P(All, SessionAllocations, testing::ValuesIn(traffic_names()),
                         [](const auto& with) { return with.param; });

}  // namespace
}  // namespace lockd::server
