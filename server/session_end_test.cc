// The end of a session (S2, S3), the bound on its locks (S5), and what is counted and switched off (L3, L4).
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/session.h"
#include "server/test_server.h"

namespace lockd::server {
namespace {

constexpr auto exclusive = LockKind::exclusive;
constexpr auto shared = LockKind::shared;

class SessionEnd : public testing::Test {
 protected:
  std::uint64_t orphans() const { return server_.table.orphan_count(exclusive) + server_.table.orphan_count(shared); }

  TestServer<> server_;
  TestClient ada_{server_, 1};
  TestClient bob_{server_, 2};
};

// ---- S2, S3 ----

TEST_F(SessionEnd, S2_all_locks_are_free_each_counted_as_an_orphan_of_its_kind) {
  ada_.ask("g a\ng b\nsg a\ng c\nr c\n");
  bob_.ask("sg a\n");
  ada_.end();
  EXPECT_EQ(server_.table.orphan_count(exclusive), 2U);
  EXPECT_EQ(server_.table.orphan_count(shared), 1U);
  EXPECT_EQ(bob_.ask("g a\ng b\nsi a\n"), "1 Lock Get Success: a\n1 Lock Get Success: b\n1 Shared Lock Is Locked: a\n");
}

TEST_F(SessionEnd, S2_in_slices_each_releases_its_budget_and_no_more) {
  for (int i = 0; i < 20; ++i) ada_.ask("g " + std::to_string(i) + "\nsg " + std::to_string(i) + "\n");
  for (std::uint64_t budget = 1, freed = 0; freed < 40; ++budget) {
    EXPECT_EQ(server_.registry.size(), 2U) << "it is in the registry while it holds something";
    const bool over = ada_.end_some(budget);
    freed = std::min<std::uint64_t>(40, freed + budget);
    ASSERT_EQ(orphans(), freed);
    ASSERT_EQ(server_.table.key_count(exclusive) + server_.table.key_count(shared), 40 - freed);
    ASSERT_TRUE(!over || freed == 40);
  }
  while (!ada_.end_some(1)) EXPECT_EQ(orphans(), 40U);
  EXPECT_EQ(server_.registry.size(), 1U);
  EXPECT_EQ(server_.table.check_invariants(), std::nullopt);
}

TEST_F(SessionEnd, S2_its_name_is_forgotten_before_its_locks_are_free) {
  ada_.ask("iam ada\ng x\ng y\n");
  EXPECT_FALSE(ada_.end_some(1));
  EXPECT_EQ(bob_.ask("who\n"), "");
  const std::string left = bob_.ask("d\n");
  EXPECT_TRUE(left == "x: A1\n" || left == "y: A1\n") << left;
}

TEST_F(SessionEnd, S2_it_ends_once_however_often_it_is_told) {
  ada_.ask("g x\nsg x\n");
  ada_.end();
  bob_.ask("g x\nsg x\n");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ada_.end_some(1));
  EXPECT_EQ(orphans(), 2U);
  EXPECT_EQ(server_.registry.size(), 1U);
  EXPECT_EQ(bob_.ask("i x\nsi x\n"), "1 Lock Is Locked: x\n1 Shared Lock Is Locked: x\n");
}

TEST_F(SessionEnd, S2_one_without_locks_or_name_is_over_at_once) {
  EXPECT_TRUE(ada_.end_some(1));
  EXPECT_EQ(server_.registry.size(), 1U);
}

TEST_F(SessionEnd, S2_what_was_not_executed_at_its_end_never_is) {
  TestServer<> server({.output_bytes_max = 1});
  TestClient client(server, 1);
  client.receive("g a\ng b\ng c\n");
  EXPECT_EQ(client.next, Next::drain);
  client.end();
  EXPECT_EQ(client.output, "1 Lock Get Success: a\n");
  EXPECT_EQ(server.table.key_count(exclusive), 0U);
  EXPECT_EQ(server.table.orphan_count(exclusive), 1U);
  EXPECT_EQ(server.statistics[0].commands[static_cast<std::size_t>(Verb::get)].value(), 1U);
}

TEST_F(SessionEnd, S2_it_may_come_in_the_middle_of_a_listing) {
  for (int i = 0; i < 5000; ++i) bob_.ask("sg " + std::to_string(i) + "\n");
  ada_.ask("g mine\n");
  ada_.receive("sd\ng after\n");
  EXPECT_EQ(ada_.next, Next::turn);
  ada_.end();
  EXPECT_EQ(server_.table.key_count(exclusive), 0U);
  EXPECT_EQ(server_.registry.size(), 1U);
}

TEST_F(SessionEnd, S3_at_the_end_of_input_what_has_no_LF_is_discarded) {
  EXPECT_EQ(ada_.ask("g a\ng b"), "1 Lock Get Success: a\n");
  EXPECT_EQ(ada_.session.finish(), Next::end);
  EXPECT_EQ(server_.table.key_count(exclusive), 1U) << "its locks go with end_some()";
  ada_.end();
  EXPECT_EQ(bob_.ask("i a\ni b\n"), "0 Lock Not Locked: a\n0 Lock Not Locked: b\n");
}

TEST_F(SessionEnd, S1_a_successor_with_the_same_address_is_somebody_else) {
  ada_.ask("g a\n");
  TestClient successor(server_, 3);
  EXPECT_EQ(successor.ask("r a\ng a\n"), "0 Lock Release Failure: a\n0 Lock Get Failure: a\n");
  ada_.end();
  EXPECT_EQ(successor.ask("g a\n"), "1 Lock Get Success: a\n");
}

TEST(SessionLocksMax, S5_bounds_both_kinds_together_and_spares_what_is_held) {
  TestServer<> server({}, 2);
  TestClient ada(server, 1);
  TestClient bob(server, 2);
  EXPECT_EQ(ada.ask("g a\nsg a\n"), "1 Lock Get Success: a\n1 Shared Lock Get Success: a\n");
  EXPECT_EQ(ada.ask("g b\nsg b\n"), "0 Too Many Locks: b\n0 Too Many Locks: b\n");
  EXPECT_EQ(ada.ask("g a\nsg a\n"), "1 Lock Get Success: a\n1 Shared Lock Get Success: a\n");
  EXPECT_EQ(bob.ask("g b\ng a\n"), "1 Lock Get Success: b\n0 Lock Get Failure: a\n");
  EXPECT_EQ(ada.ask("g b\n"), "0 Too Many Locks: b\n") << "whether or not it could be had";
  EXPECT_EQ(ada.ask("sr a\nsg b\n"), "1 Shared Lock Release Success: a\n1 Shared Lock Get Success: b\n");
}

// ---- L3 ----

// `q` with these numbers, and 0 for all others.
std::string counters(const std::vector<std::pair<std::string_view, int>>& numbers) {
  std::string lines;
  for (const char* name :
       {"command_d", "command_dump", "command_g", "command_i", "command_iam", "command_me", "command_q", "command_r",
        "command_sd", "command_sg", "command_si", "command_sr", "command_who", "connections", "invalid_commands",
        "locks", "orphans", "shared_locks", "shared_orphans"}) {
    int number = 0;
    for (const auto& [counted, count] : numbers) number += counted == name ? count : 0;
    lines += std::string(name) + ": " + std::to_string(number) + "\n";
  }
  return lines;
}

TEST_F(SessionEnd, L3_q_shows_exactly_these_lines_its_own_request_counted) {
  EXPECT_EQ(ada_.ask("q\n"), counters({{"command_q", 1}, {"connections", 2}}));
}

TEST_F(SessionEnd, L3_each_verb_is_counted_under_its_own_name) {
  ada_.ask(
      "d\ndump\ndump shared\ng a\ng a\ng b\ni\ni\ni\ni\niam x\niam\niam x\niam x\niam\nme\nme\nme\nme\nme\nme\n"
      "r b\nr b\nr b\nr b\nr b\nr b\nr b\nsd\nsd\nsd\nsd\nsd\nsd\nsd\nsd\nsg a\nsg b\nsi\nsr c\nwho\nwho x\n"
      "ping\nversion\nping x\nfrob\nfrob\nfrob\n");
  bob_.ask("sg a\nq\n");
  TestClient cyd(server_, 3);
  cyd.ask("g c\nsg c\nsg d\nquit\n");
  EXPECT_EQ(ada_.ask("q\n"), counters({{"command_d", 1},
                                       {"command_dump", 2},
                                       {"command_g", 4},
                                       {"command_i", 4},
                                       {"command_iam", 5},
                                       {"command_me", 6},
                                       {"command_q", 2},
                                       {"command_r", 7},
                                       {"command_sd", 8},
                                       {"command_sg", 5},
                                       {"command_si", 1},
                                       {"command_sr", 1},
                                       {"command_who", 2},
                                       {"connections", 2},
                                       {"invalid_commands", 3},
                                       {"locks", 1},
                                       {"orphans", 1},
                                       {"shared_locks", 2},
                                       {"shared_orphans", 2}}));
}

TEST(SessionCounters, L3_are_the_sums_over_all_threads) {
  TestServer<> server;
  std::array<Statistics, 3> threads;
  for (int i = 0; i < 10; ++i) threads[0].commands[static_cast<std::size_t>(Verb::get)].count();
  for (int i = 0; i < 5; ++i) threads[2].commands[static_cast<std::size_t>(Verb::get)].count();
  threads[2].invalid_commands.count();
  const Services<engine::NullMutex> services{server.settings, server.table, server.registry,
                                             threads[1],      threads,      server.turn};
  Session<engine::NullMutex> session(SessionId{1}, "A1", services);
  std::string output;
  session.receive("g k\nfrob\n", services, output);
  output.clear();
  session.receive("q\n", services, output);
  EXPECT_EQ(output,
            counters({{"command_g", 16}, {"command_q", 1}, {"connections", 1}, {"invalid_commands", 2}, {"locks", 1}}));
}

// ---- L4 ----

TEST(SessionDisabled, L4_without_dump) {
  TestServer<> server({.dump = false});
  TestClient client(server, 1);
  for (const char* request : {"d\n", "d k\n", "sd\n", "sd k\n", "dump\n", "dump shared\n", "who\n", "who x\n"}) {
    EXPECT_EQ(client.ask(request), "0 disabled\n") << request;
  }
  EXPECT_EQ(client.ask("iam x\nme\n"), "1 ok\n1 A1 x\n");
}

TEST(SessionDisabled, L4_without_registry) {
  TestServer<> server({.registry = false});
  TestClient client(server, 1);
  for (const char* request : {"iam\n", "iam x\n", "who\n", "who x\n"}) {
    EXPECT_EQ(client.ask(request), "0 disabled\n") << request;
  }
  EXPECT_EQ(client.ask("me\ng k\nd\nsd\ndump\n"), "1 A1 A1\n1 Lock Get Success: k\nk: A1\n{\"k\":\"A1\"}\n");
}

TEST(SessionDisabled, L3_what_is_disabled_is_counted_all_the_same) {
  TestServer<> server({.dump = false, .registry = false});
  TestClient client(server, 1);
  client.ask("d\nsd\nsd\ndump\ndump\ndump\nwho\niam x\niam\n");
  EXPECT_EQ(client.ask("q\n"), counters({{"command_d", 1},
                                         {"command_dump", 3},
                                         {"command_iam", 2},
                                         {"command_q", 1},
                                         {"command_sd", 2},
                                         {"command_who", 1},
                                         {"connections", 1}}));
}

TEST(SessionDisabled, L4_a_disabled_listing_does_not_end_the_turn) {
  TestServer<> server({.dump = false});
  TestClient client(server, 1);
  client.receive("d\nwho\nping\n");
  EXPECT_EQ(client.next, Next::read);
  EXPECT_EQ(client.output, "0 disabled\n0 disabled\n1 pong\n");
}

}  // namespace
}  // namespace lockd::server
