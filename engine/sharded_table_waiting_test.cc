// ShardedTable's lines: what a session's own side knows of its wait, circles over one shard and many, and the ends of
// those who wait.
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/sharded_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

const Answer got{Outcome::lock_get_success};
const Answer deadlock{Outcome::lock_get_deadlock};

std::string numbered(std::uint64_t i) { return "key" + std::to_string(i); }

class WaitingInShards : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  void TearDown() override { EXPECT_EQ(table_.check_invariants(), std::nullopt); }

  // What the threads would do with the wake-ups.
  void deliver() {
    for (const Wakeup& wakeup : table_.take_woken()) {
      for (SessionLocks* session : {&alice_, &bob_, &carol_, &dave_, &erin_}) {
        if (session->id == wakeup.session && !session->ended) table_.accept_grant(*session);
      }
    }
  }

  std::uint64_t waiters(LockKind kind) const { return table_.totals()[kind].waiters; }

  TestShards table_{GetParam()};
  SessionLocks alice_{SessionId{1}};
  SessionLocks bob_{SessionId{2}, 7};
  SessionLocks carol_{SessionId{3}};
  SessionLocks dave_{SessionId{4}};
  SessionLocks erin_{SessionId{5}};
};

INSTANTIATE_TEST_SUITE_P(shards, WaitingInShards, ::testing::Values(1, 4, 64));

TEST_P(WaitingInShards, W1_W4_a_wait_lasts_until_its_grant_is_accepted) {
  table_.get(alice_, g("k"));
  EXPECT_FALSE(alice_.waits());
  EXPECT_EQ(table_.get(bob_, gw("k")), std::nullopt);
  EXPECT_TRUE(bob_.waits());
  EXPECT_EQ(bob_.held, 0U);
  EXPECT_EQ(table_.release(alice_, exclusive, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(table_.take_woken(), (Wakeups{{bob_.id, 7, got}}));
  EXPECT_TRUE(bob_.waits());
  table_.accept_grant(bob_);
  EXPECT_FALSE(bob_.waits());
  EXPECT_EQ(bob_.held, 1U);
  EXPECT_EQ(table_.release(bob_, exclusive, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(bob_.held, 0U);
}

TEST_P(WaitingInShards, C2_W4_a_shared_wait_is_told_the_number_of_holders) {
  table_.get(alice_, sg("k"));
  table_.get(carol_, sg("k"));
  EXPECT_EQ(table_.get(bob_, sgw(2, "k")), std::nullopt);
  table_.release(alice_, shared, "k");
  EXPECT_EQ(table_.woken, (Wakeups{{bob_.id, 7, {Outcome::shared_get_success, 2}}}));
  deliver();
  EXPECT_EQ(bob_.held, 1U);
}

TEST_P(WaitingInShards, W2_who_waits_asks_for_nothing_until_the_grant_is_accepted) {
  table_.get(alice_, g("k"));
  table_.get(bob_, g("own"));
  table_.get(bob_, gw("k"));
  for (const bool granted : {false, true}) {
    if (granted) table_.release(alice_, exclusive, "k");
    EXPECT_EQ(table_.get(bob_, g("free")), std::nullopt);
    EXPECT_EQ(table_.get(bob_, sgw(1, "free")), std::nullopt);
    EXPECT_EQ(table_.release(bob_, exclusive, "own"), std::nullopt);
    EXPECT_EQ(table_.inspect(bob_, exclusive, "own"), std::nullopt);
    EXPECT_EQ(table_.inspect_line(bob_, exclusive, "k"), std::nullopt);
    EXPECT_EQ(table_.token(bob_, exclusive, "own"), std::nullopt);
    EXPECT_EQ(table_.release_some(bob_, 10), 0U);
    EXPECT_EQ(table_.inspect(alice_, exclusive, "free"), Answer{Outcome::lock_not_locked});
    EXPECT_EQ(table_.inspect(alice_, exclusive, "own"), Answer{Outcome::lock_is_locked});
  }
  deliver();
  EXPECT_EQ(table_.release_some(bob_, 10), 2U);
}

TEST_P(WaitingInShards, W5_W9_who_leaves_the_line_is_answered_why) {
  table_.get(alice_, g("k"));
  table_.get(alice_, sg("k"));
  const auto left = [&](const Get& get, Leave why) {
    EXPECT_EQ(table_.get(bob_, get), std::nullopt);
    const auto answer = table_.leave_line(bob_, why);
    EXPECT_FALSE(bob_.waits());
    EXPECT_EQ(waiters(get.kind), 0U);
    return answer;
  };
  EXPECT_EQ(left(gw("k"), Leave::timeout), Answer{Outcome::lock_get_timeout});
  EXPECT_EQ(left(gw("k"), Leave::cancel), Answer{Outcome::lock_get_canceled});
  EXPECT_EQ(left(sgw(1, "k"), Leave::timeout), Answer{Outcome::shared_get_timeout});
  EXPECT_EQ(left(sgw(1, "k"), Leave::cancel), Answer{Outcome::shared_get_canceled});
  EXPECT_EQ(table_.leave_line(bob_, Leave::timeout), std::nullopt);  // it does not wait
  EXPECT_EQ(bob_.held, 0U);
}

TEST_P(WaitingInShards, W5_W9_of_a_time_out_and_a_hand_over_the_first_counts) {
  table_.get(alice_, g("k"));
  table_.get(bob_, gw("k"));
  table_.release(alice_, exclusive, "k");
  for (const Leave why : {Leave::timeout, Leave::cancel}) {
    EXPECT_EQ(table_.leave_line(bob_, why), std::nullopt);
    EXPECT_TRUE(bob_.waits());  // its wake-up is on the way
  }
  deliver();
  EXPECT_EQ(bob_.held, 1U);
  EXPECT_EQ(table_.inspect(bob_, exclusive, "k"), Answer{Outcome::lock_is_locked});
}

TEST_P(WaitingInShards, W5_C2_whom_the_leaving_head_lets_through_is_woken) {
  table_.get(alice_, sgl(1, "k"));
  table_.get(bob_, sgw(1, "k"));
  table_.get(carol_, sgw(2, "k"));
  table_.get(dave_, sgw(3, "k"));
  EXPECT_EQ(table_.leave_line(bob_, Leave::timeout), Answer{Outcome::shared_get_timeout});
  EXPECT_EQ(table_.woken, (Wakeups{{carol_.id, 0, {Outcome::shared_get_success, 2}},
                                   {dave_.id, 0, {Outcome::shared_get_success, 3}}}));
  deliver();
}

TEST_P(WaitingInShards, S2_W5_the_end_of_the_head_lets_those_behind_it_through_before_its_locks_are_freed) {
  table_.get(bob_, g("own"));
  table_.get(bob_, g("own too"));
  table_.get(alice_, sgl(1, "k"));
  table_.get(bob_, sgw(1, "k"));
  table_.get(carol_, sgw(2, "k"));
  table_.get(dave_, sgw(2, "k"));
  EXPECT_FALSE(table_.end_some(bob_, 1));
  EXPECT_EQ(table_.woken, (Wakeups{{carol_.id, 0, {Outcome::shared_get_success, 2}}}));
  EXPECT_FALSE(bob_.waits());
  EXPECT_EQ(bob_.held, 1U);
  deliver();
  while (!table_.end_some(bob_, 1)) {
  }
  EXPECT_EQ(waiters(shared), 1U);
  EXPECT_EQ(table_.orphan_count(exclusive), 2U);
  EXPECT_EQ(table_.orphan_count(shared), 0U);
}

TEST_P(WaitingInShards, S2_W4_who_died_in_line_is_never_granted) {
  table_.get(alice_, g("k"));
  for (SessionLocks* session : {&bob_, &carol_, &dave_}) table_.get(*session, gw("k"));
  EXPECT_TRUE(table_.end_some(carol_, 1));
  EXPECT_TRUE(table_.end_some(bob_, 1));
  EXPECT_EQ(table_.orphan_count(exclusive), 0U);
  table_.release(alice_, exclusive, "k");
  EXPECT_EQ(table_.take_woken(), (Wakeups{{dave_.id, 0, got}}));
  table_.accept_grant(dave_);
}

TEST_P(WaitingInShards, S2_W4_a_grant_to_one_who_died_meanwhile_is_released_and_goes_on) {
  table_.get(alice_, g("k"));
  table_.get(bob_, gw("k"));
  table_.get(carol_, gw("k"));
  table_.release(alice_, exclusive, "k");
  EXPECT_EQ(table_.take_woken(), (Wakeups{{bob_.id, 7, got}}));
  EXPECT_TRUE(table_.end_some(bob_, 10));
  EXPECT_EQ(table_.take_woken(), (Wakeups{{carol_.id, 0, got}}));
  EXPECT_EQ(table_.orphan_count(exclusive), 1U);
  EXPECT_EQ(bob_.held, 0U);
  EXPECT_EQ(bob_.shards_touched, 0U);
  table_.accept_grant(carol_);
}

TEST_P(WaitingInShards, E1_S2_releasing_all_hands_each_lock_on_and_counts_no_orphan) {
  for (std::uint64_t i = 0; i < 100; ++i) table_.get(alice_, get_of(i % 2 == 0 ? exclusive : shared, numbered(i)));
  table_.get(bob_, gw(numbered(0)));
  table_.get(carol_, sgw(1, numbered(1)));
  std::size_t released = 0;
  while (const std::size_t slice = table_.release_some(alice_, 7)) released += slice;
  EXPECT_EQ(released, 100U);
  EXPECT_EQ(alice_.held, 0U);
  EXPECT_FALSE(alice_.ended);
  EXPECT_EQ(table_.orphan_count(exclusive) + table_.orphan_count(shared), 0U);
  EXPECT_EQ(table_.woken.size(), 2U);
  deliver();
  EXPECT_EQ(bob_.held + carol_.held, 2U);
  EXPECT_EQ(table_.get(alice_, g("k")), got);
  EXPECT_TRUE(table_.end_some(alice_, 10));
  EXPECT_EQ(table_.release_some(alice_, 10), 0U);
}

TEST_P(WaitingInShards, W6_a_circle_of_two_is_refused_and_nothing_changes) {
  table_.get(alice_, g("a"));
  table_.get(bob_, g("b"));
  EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);
  EXPECT_EQ(table_.get(bob_, gw("a")), deadlock);
  EXPECT_FALSE(bob_.waits());
  EXPECT_EQ(table_.get(bob_, g("a")), Answer{Outcome::lock_get_failure});  // W10: it can't wait, so it closes nothing
  EXPECT_EQ(table_.inspect_line(bob_, exclusive, "a"), Answer{Outcome::lock_waiters});
  table_.release(bob_, exclusive, "b");
  deliver();
  EXPECT_EQ(table_.get(bob_, gw("a")), std::nullopt);
}

TEST_P(WaitingInShards, W6_a_circle_of_three_is_refused_wherever_it_is_closed) {
  const std::array sessions = {&alice_, &bob_, &carol_};
  for (std::uint64_t i = 0; i < 3; ++i) table_.get(*sessions[i], g(numbered(i)));
  for (std::uint64_t last = 0; last < 3; ++last) {
    TestShards table(table_);
    for (std::uint64_t i = 1; i < 3; ++i) {
      SessionLocks session = *sessions[(last + i) % 3];
      EXPECT_EQ(table.get(session, gw(numbered((last + i + 1) % 3))), std::nullopt);
    }
    SessionLocks session = *sessions[last];
    EXPECT_EQ(table.get(session, gw(numbered((last + 1) % 3))), deadlock);
    EXPECT_EQ(table.check_invariants(), std::nullopt);
  }
}

TEST_P(WaitingInShards, W6_a_circle_of_five_over_several_shards_is_refused) {
  const std::array sessions = {&alice_, &bob_, &carol_, &dave_, &erin_};
  for (std::uint64_t i = 0; i < 5; ++i) table_.get(*sessions[i], g(numbered(i)));
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(table_.get(*sessions[i], gw(numbered(i + 1))), std::nullopt);
  EXPECT_EQ(table_.get(erin_, gw(numbered(0))), deadlock);
  EXPECT_EQ(table_.get(erin_, gw(numbered(2))), deadlock);  // a smaller circle in the same chain
  std::uint64_t shards = 0;
  for (const SessionLocks* session : sessions) shards |= session->shards_touched;
  EXPECT_TRUE(GetParam() == 1 || std::popcount(shards) > 1);
  table_.release(erin_, exclusive, numbered(4));
  deliver();
  EXPECT_EQ(dave_.held, 2U);
  EXPECT_EQ(table_.get(erin_, gw(numbered(4))), std::nullopt);  // behind dave, who waits for nothing now
}

TEST_P(WaitingInShards, W6_a_long_chain_is_no_circle) {
  std::vector<SessionLocks> sessions;
  for (std::uint64_t i = 0; i < 200; ++i) sessions.emplace_back(SessionId{100 + i});
  for (std::uint64_t i = 0; i < 200; ++i) table_.get(sessions[i], g(numbered(i)));
  for (std::uint64_t i = 199; i > 0; --i) ASSERT_EQ(table_.get(sessions[i - 1], gw(numbered(i))), std::nullopt);
  EXPECT_EQ(table_.get(alice_, gw(numbered(0))), std::nullopt);
  EXPECT_EQ(table_.get(sessions[199], gw(numbered(0))), deadlock);
}

TEST_P(WaitingInShards, W6_others_behind_one_another_in_the_same_line_are_no_circle) {
  table_.get(alice_, g("k"));
  table_.get(bob_, g("b"));
  EXPECT_EQ(table_.get(bob_, gw("k")), std::nullopt);
  EXPECT_EQ(table_.get(carol_, gw("k")), std::nullopt);
  EXPECT_EQ(table_.get(dave_, gw("b")), std::nullopt);
  table_.release(alice_, exclusive, "k");  // bob holds both, and waits for nothing
  deliver();
  EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);
}

TEST_P(WaitingInShards, W6_a_wait_in_a_shared_line_closes_no_circle) {
  table_.get(alice_, sgl(1, "s"));
  table_.get(bob_, g("b"));
  EXPECT_EQ(table_.get(bob_, sgw(1, "s")), std::nullopt);
  EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);  // bob counts as not waiting

  table_.get(carol_, g("c"));
  table_.get(dave_, sgl(1, "t"));
  EXPECT_EQ(table_.get(dave_, gw("c")), std::nullopt);
  EXPECT_EQ(table_.get(carol_, sgw(1, "t")), std::nullopt);
}

TEST_P(WaitingInShards, W6_the_two_kinds_of_one_key_are_different_locks) {
  table_.get(alice_, g("a"));
  table_.get(bob_, g("b"));
  table_.get(carol_, sg("a"));
  EXPECT_EQ(table_.get(bob_, sgw(1, "a")), std::nullopt);
  EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);
}

TEST_P(WaitingInShards, W6_a_wait_that_ended_is_no_edge_even_before_its_session_knows) {
  table_.get(alice_, g("a"));
  table_.get(bob_, g("b"));
  table_.get(bob_, gw("a"));
  table_.release(alice_, exclusive, "a");  // bob's wake-up is on the way
  EXPECT_TRUE(bob_.waits());
  EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);
  EXPECT_EQ(table_.check_invariants(), std::nullopt);
  deliver();
  EXPECT_EQ(table_.get(bob_, gw("free")), got);
}

TEST_P(WaitingInShards, W6_a_wait_that_was_left_is_no_edge) {
  for (const bool ends : {false, true}) {
    table_.get(alice_, g("a"));
    table_.get(bob_, g("b"));
    EXPECT_EQ(table_.get(bob_, gw("a")), std::nullopt);
    ends ? static_cast<void>(table_.end_some(bob_, 1)) : static_cast<void>(table_.leave_line(bob_, Leave::cancel));
    if (!ends) {
      EXPECT_EQ(table_.get(alice_, gw("b")), std::nullopt);
      table_.leave_line(alice_, Leave::cancel);
    }
  }
  EXPECT_EQ(table_.get(alice_, gw("b")), got);  // bob's lock went with it
}

TEST_P(WaitingInShards, W6_who_died_holding_a_lock_waits_for_nothing) {
  table_.get(alice_, g("a"));
  for (std::uint64_t i = 0; i < 3; ++i) table_.get(bob_, g(numbered(i)));
  table_.get(bob_, gw("a"));
  table_.end_some(bob_, 1);
  for (std::uint64_t i = 0; i < 3; ++i) {
    if (table_.inspect(alice_, exclusive, numbered(i)) == Answer{Outcome::lock_not_locked}) continue;
    EXPECT_EQ(table_.get(alice_, gw(numbered(i))), std::nullopt);
    EXPECT_FALSE(table_.end_some(bob_, 1) && table_.woken.empty());
    while (!table_.end_some(bob_, 1)) {
    }
    deliver();
    EXPECT_FALSE(alice_.waits());
    return;
  }
  FAIL() << "bob still holds two of three";
}

TEST_P(WaitingInShards, W7_W10_a_circle_is_found_before_a_full_line) {
  TestShards table({.seed = test_seed, .shard_count = GetParam(), .waiters_max = 1});
  table.get(alice_, g("a"));
  table.get(bob_, g("b"));
  table.get(carol_, gw("a"));
  EXPECT_EQ(table.get(dave_, gw("a")), Answer{Outcome::too_many_waiters});
  EXPECT_FALSE(dave_.waits());
  table.get(alice_, gw("b"));
  EXPECT_EQ(table.get(bob_, gw("a")), deadlock);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST_P(WaitingInShards, S5_W10_a_grant_counts_once_it_is_accepted_and_a_wait_was_checked_when_it_began) {
  TestShards table({.seed = test_seed, .shard_count = GetParam(), .locks_max = 1});
  table.get(alice_, g("a"));
  EXPECT_EQ(table.get(bob_, gw("a")), std::nullopt);
  EXPECT_EQ(table.get(alice_, gw("b")), Answer{Outcome::too_many_locks});
  table.release(alice_, exclusive, "a");
  table.accept_grant(bob_);
  EXPECT_EQ(table.get(bob_, gw("b")), Answer{Outcome::too_many_locks});
  EXPECT_EQ(table.get(bob_, gw("a")), got);
}

TEST_P(WaitingInShards, T1_tokens_differ_over_all_shards_and_grow_with_each_key) {
  std::set<std::uint64_t> seen;
  std::map<std::string, std::uint64_t> last;
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t i = 0; i < 300; ++i) {
      ASSERT_EQ(table_.get(alice_, g(numbered(i))), got);
      const auto answer = table_.token(alice_, exclusive, numbered(i));
      ASSERT_EQ(answer->outcome, Outcome::lock_token);
      ASSERT_TRUE(seen.insert(answer->number).second);
      ASSERT_GT(answer->number, last[numbered(i)]);
      last[numbered(i)] = answer->number;
    }
    table_.release_some(alice_, 1000);
  }
}

TEST_P(WaitingInShards, T1_tokens_that_are_out_come_again_when_the_end_is_raised) {
  TestShards table({.seed = test_seed, .shard_count = GetParam(), .first_token = 10, .tokens_end = 12});
  EXPECT_EQ(table.get(alice_, g("k")), got);
  EXPECT_EQ(table.token(alice_, exclusive, "k"), (Answer{Outcome::lock_token, 10}));
  EXPECT_EQ(table.get(bob_, gw("k")), std::nullopt);
  EXPECT_EQ(table.get(carol_, gw("k")), Answer{Outcome::out_of_tokens});
  EXPECT_FALSE(carol_.waits());
  EXPECT_EQ(table.token_source().next(), 12U);
  table.token_source().raise_end(20);
  EXPECT_EQ(table.get(carol_, gw("k")), std::nullopt);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST_P(WaitingInShards, E2_E3_totals_and_claims_are_those_of_all_shards) {
  table_.now = 3;
  for (std::uint64_t i = 0; i < 50; ++i) table_.get(alice_, get_of(i % 2 == 0 ? exclusive : shared, numbered(i)));
  table_.get(bob_, gw(numbered(10)));
  table_.now = 5;
  table_.get(carol_, gw(numbered(10)));
  table_.get(dave_, sgw(1, numbered(11)));
  const Totals totals = table_.totals();
  EXPECT_EQ(totals[exclusive].keys, 25U);
  EXPECT_EQ(totals[shared].holders, 25U);
  EXPECT_EQ(totals[exclusive].waiters, 2U);
  EXPECT_EQ(totals[exclusive].longest_line, 2U);
  EXPECT_EQ(totals[exclusive].oldest_wait, Moment{3});
  EXPECT_EQ(totals[shared].longest_line, 1U);
  EXPECT_EQ(totals[shared].oldest_wait, Moment{5});

  for (const std::size_t budget : {std::size_t{1}, infinite}) {
    TableCursor cursor;
    std::map<std::string, std::vector<std::uint64_t>> seen;
    const auto see = [&](LockKind kind, std::string_view key, std::uint32_t claim_count, auto for_each_claim) {
      auto& row = seen[(kind == exclusive ? "x " : "s ") + std::string(key)];
      EXPECT_TRUE(row.empty());
      for_each_claim([&](const Claim& claim) {
        row.push_back(static_cast<std::uint64_t>(claim.session));
        EXPECT_EQ(claim.token == 0, claim.session != alice_.id);
      });
      EXPECT_EQ(row.size(), claim_count);
    };
    while (table_.visit_claims(cursor, budget, see)) {
    }
    EXPECT_EQ(seen.size(), 50U);
    EXPECT_EQ(seen["x key10"], (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(seen["s key11"], (std::vector<std::uint64_t>{1, 4}));
  }
}

TEST_P(WaitingInShards, W4_a_copy_goes_on_alone_with_its_lines) {
  table_.get(alice_, g("k"));
  table_.get(bob_, gw("k"));
  TestShards copy(table_);
  SessionLocks alice_in_copy(alice_);
  SessionLocks bob_in_copy(bob_);
  table_.leave_line(bob_, Leave::timeout);
  copy.release(alice_in_copy, exclusive, "k");
  EXPECT_EQ(copy.take_woken(), (Wakeups{{bob_.id, 7, got}}));
  copy.accept_grant(bob_in_copy);
  EXPECT_EQ(bob_in_copy.held, 1U);
  EXPECT_EQ(copy.check_invariants(), std::nullopt);
}

using WaitingInShardsDeathTest = WaitingInShards;
INSTANTIATE_TEST_SUITE_P(shards, WaitingInShardsDeathTest, ::testing::Values(2));

TEST_P(WaitingInShardsDeathTest, misuse_aborts_with_a_message) {
  EXPECT_DEATH(table_.accept_grant(alice_), "a grant is accepted by a session that waited");
  table_.get(alice_, g("k"));
  table_.get(bob_, gw("k"));
  table_.end_some(bob_, 1);
  EXPECT_DEATH(table_.accept_grant(bob_), "a grant is accepted by a session that waited");
}

}  // namespace
}  // namespace lockd::engine
