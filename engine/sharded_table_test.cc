// ShardedTable: what a session, its bound, its end and a listing are when the keys lie in many tables.
#include "engine/sharded_table.h"

#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

std::string numbered(int i) { return "key" + std::to_string(i); }

std::vector<SessionId> holders(const TestShards& table, LockKind kind, std::string_view key) {
  std::vector<SessionId> found;
  table.visit_holders(kind, key, [&](SessionId session) { found.push_back(session); });
  return found;
}

class ShardCounts : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(shards, ShardCounts, ::testing::Values(1, 2, 4, 8, 16, 32, 64));

TEST_P(ShardCounts, X1_X2_X3_H1_H2_H3_of_many_keys) {
  TestShards table(GetParam());
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  for (int i = 0; i < 500; ++i) {
    const std::string key = numbered(i);
    ASSERT_EQ(table.get(alice, g(key)), Answer{Outcome::lock_get_success});
    ASSERT_EQ(table.get(bob, g(key)), Answer{Outcome::lock_get_failure});
    ASSERT_EQ(table.get(alice, sg(key)), (Answer{Outcome::shared_get_success, 1}));
    ASSERT_EQ(table.get(bob, sg(key)), (Answer{Outcome::shared_get_success, 2}));
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(alice.held, 1000U);
  EXPECT_EQ(bob.held, 500U);
  for (int i = 0; i < 500; ++i) {
    const std::string key = numbered(i);
    ASSERT_EQ(table.release(bob, exclusive, key), Answer{Outcome::lock_release_failure});
    ASSERT_EQ(table.inspect(bob, exclusive, key), Answer{Outcome::lock_is_locked});
    ASSERT_EQ(table.release(alice, exclusive, key), Answer{Outcome::lock_release_success});
    ASSERT_EQ(table.inspect(bob, exclusive, key), Answer{Outcome::lock_not_locked});
    ASSERT_EQ(table.release(alice, shared, key), Answer{Outcome::shared_release_success});
    ASSERT_EQ(table.inspect(alice, shared, key), (Answer{Outcome::shared_is_locked, 1}));
    ASSERT_EQ(table.key_count(exclusive), static_cast<std::uint64_t>(499 - i));
    ASSERT_EQ(table.key_count(shared), 500U);
  }
  EXPECT_EQ(alice.held, 0U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST_P(ShardCounts, X1_X3_a_key_hashed_ahead_and_prefetched_is_answered_as_the_key_itself) {
  TestShards table(GetParam());
  SessionLocks alice(SessionId{1});
  const TestShards::Base& base = table;
  for (int i = 0; i < 500; ++i) {
    const std::string key = numbered(i);
    const HashedKey hashed = table.hashed(key);
    for (const LockKind kind : {exclusive, shared}) {
      table.prefetch(kind, hashed);
      table.prefetch_record(kind, hashed);
      ASSERT_EQ(table.Base::get(alice, get_of(kind, key), hashed, 0), table.get(alice, get_of(kind, key)));
      table.prefetch_record(kind, hashed);
      ASSERT_EQ(base.inspect(alice, kind, hashed), base.inspect(alice, kind, key));
      ASSERT_EQ(base.inspect_line(alice, kind, hashed), base.inspect_line(alice, kind, key));
      ASSERT_EQ(base.token(alice, kind, hashed), base.token(alice, kind, key));
    }
  }
  EXPECT_EQ(alice.held, 1000U);
  for (int i = 0; i < 500; ++i) {
    const std::string key = numbered(i);
    ASSERT_EQ(table.Base::release(alice, exclusive, table.hashed(key), 0, table.woken),
              Answer{Outcome::lock_release_success});
  }
  EXPECT_EQ(alice.held, 500U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST(ShardedTable, prefetching_gains_where_one_thread_has_more_keys_than_lie_in_a_cache) {
  TestShards table({.seed = test_seed, .cached_keys_max = 20});
  ShardedTable<std::mutex> shared_by_threads({.seed = test_seed, .cached_keys_max = 20});
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  for (int i = 0; i <= 20; ++i) {
    EXPECT_FALSE(table.gains_by_prefetch()) << i;
    table.get(alice, i % 2 == 0 ? g(numbered(i)) : sg(numbered(i)));
    shared_by_threads.get(bob, g(numbered(i)), 0);
  }
  EXPECT_TRUE(table.gains_by_prefetch());
  EXPECT_FALSE(shared_by_threads.gains_by_prefetch());
  table.release(alice, exclusive, numbered(0));
  EXPECT_FALSE(table.gains_by_prefetch());
}

TEST_P(ShardCounts, X1_X2_a_wrong_guess_where_a_sessions_record_lies_is_harmless) {
  TestShards table(GetParam());
  for (std::uint32_t hint : {0U, 1U, 2U, 3U, 1000U, no_index}) {
    std::vector<SessionLocks> sessions;
    for (std::uint64_t id = 1; id <= 4; ++id) sessions.emplace_back(SessionId{id});
    for (int i = 0; i < 40; ++i) {
      SessionLocks& session = sessions[static_cast<std::size_t>(i) % 4];
      session.record_hint = (hint + static_cast<std::uint32_t>(i) / 4) % 1001;
      ASSERT_EQ(table.get(session, g(numbered(i))), Answer{Outcome::lock_get_success});
      ASSERT_EQ(holders(table, exclusive, numbered(i)), std::vector{session.id});
      session.record_hint = hint;
      ASSERT_EQ(table.get(session, sg(numbered(i))), (Answer{Outcome::shared_get_success, 1}));
      ASSERT_EQ(table.check_invariants(), std::nullopt);
    }
    for (SessionLocks& session : sessions) {
      session.record_hint = hint;
      EXPECT_EQ(session.held, 20U);
      EXPECT_TRUE(table.end_some(session, infinite));
      ASSERT_EQ(table.check_invariants(), std::nullopt);
    }
    EXPECT_EQ(table.key_count(exclusive) + table.key_count(shared), 0U);
  }
}

TEST(ShardedTable, X1_X2_a_session_has_its_record_until_nothing_is_left_to_release_at_once) {
  TestShards table(1);
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  table.get(alice, g("a"));
  const std::uint32_t record = alice.record_hint;
  table.release(alice, exclusive, "a");
  table.get(bob, g("b"));
  EXPECT_NE(bob.record_hint, record) << "it keeps the record of one who has nothing now";
  table.get(alice, sg("a"));
  EXPECT_EQ(alice.record_hint, record);
  EXPECT_EQ(table.release_some(alice, 1), 1U);
  EXPECT_EQ(table.release_some(alice, 1), 0U);
  EXPECT_TRUE(table.end_some(bob, infinite));
  SessionLocks carol(SessionId{3});
  table.get(carol, g("c"));
  EXPECT_EQ(carol.record_hint, record);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

// Its record went when all was released at once, and the place is another's when it comes again.
TEST(ShardedTable, X1_a_session_whose_record_another_has_by_now_takes_its_own_locks) {
  TestShards table(1);
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  table.get(alice, g("a"));
  table.release_some(alice, infinite);
  table.get(bob, g("b"));
  ASSERT_EQ(bob.record_hint, alice.record_hint);
  table.get(alice, g("a"));
  EXPECT_EQ(holders(table, exclusive, "a"), std::vector{alice.id});
  EXPECT_EQ(holders(table, exclusive, "b"), std::vector{bob.id});
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_TRUE(table.end_some(bob, infinite));
  EXPECT_EQ(holders(table, exclusive, "a"), std::vector{alice.id});
}

TEST_P(ShardCounts, S2_a_session_that_touched_every_shard_ends_in_slices) {
  TestShards table(GetParam());
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  for (int i = 0; i < 500; ++i) {
    table.get(alice, get_of(i % 2 == 0 ? exclusive : shared, numbered(i)));
    table.get(bob, sg(numbered(i)));
  }
  EXPECT_EQ(static_cast<std::uint32_t>(std::popcount(alice.shards_touched)), GetParam());
  for (std::uint64_t freed = 1; freed <= 500; ++freed) {
    table.end_some(alice, 1);
    ASSERT_EQ(table.orphan_count(exclusive) + table.orphan_count(shared), freed);
    ASSERT_EQ(alice.held, 500 - freed);
  }
  EXPECT_TRUE(table.end_some(alice, 1));
  EXPECT_EQ(alice.shards_touched, 0U);
  EXPECT_EQ(table.orphan_count(exclusive), 250U);
  EXPECT_EQ(table.orphan_count(shared), 250U);
  EXPECT_EQ(table.key_count(exclusive), 0U);
  EXPECT_EQ(table.key_count(shared), 500U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_TRUE(table.end_some(bob, infinite));
  EXPECT_EQ(table.key_count(shared), 0U);
}

TEST_P(ShardCounts, S5_the_bound_counts_both_kinds_and_all_shards) {
  TestShards table({.seed = {1, 2}, .shard_count = GetParam(), .locks_max = 20});
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(table.get(alice, g(numbered(i))), Answer{Outcome::lock_get_success});
    ASSERT_EQ(table.get(alice, sg(numbered(i))), (Answer{Outcome::shared_get_success, 1}));
  }
  table.get(bob, g("of bob"));
  EXPECT_EQ(table.get(alice, g("one more")), Answer{Outcome::too_many_locks});
  EXPECT_EQ(table.get(alice, sg("one more")), Answer{Outcome::too_many_locks});
  EXPECT_EQ(table.get(alice, g("of bob")), Answer{Outcome::too_many_locks});
  EXPECT_EQ(table.get(alice, g(numbered(3))), Answer{Outcome::lock_get_success});
  EXPECT_EQ(table.get(alice, sg(numbered(3))), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(table.release(alice, shared, "one more"), Answer{Outcome::shared_release_failure});
  EXPECT_EQ(table.get(alice, sg("one more")), Answer{Outcome::too_many_locks});
  table.release(alice, exclusive, numbered(3));
  EXPECT_EQ(table.get(alice, sg("one more")), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(table.get(alice, g(numbered(3))), Answer{Outcome::too_many_locks});
}

TEST(ShardedTable, S2_an_ended_session_gets_no_answer_and_changes_nothing) {
  TestShards table(4);
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  table.get(alice, g("a"));
  table.get(alice, sg("s"));
  table.get(alice, sg("t"));
  ASSERT_FALSE(table.end_some(alice, 1));
  for (const LockKind kind : {exclusive, shared}) {
    for (const char* key : {"a", "s", "t", "free"}) {
      const auto held_before = holders(table, kind, key);
      EXPECT_EQ(table.get(alice, get_of(kind, key)), std::nullopt);
      EXPECT_EQ(table.release(alice, kind, key), std::nullopt);
      EXPECT_EQ(table.inspect(alice, kind, key), std::nullopt);
      EXPECT_EQ(holders(table, kind, key), held_before);
    }
  }
  EXPECT_EQ(alice.held, 2U);
  EXPECT_TRUE(table.end_some(alice, infinite));
  EXPECT_EQ(table.get(alice, g("a")), std::nullopt);
  EXPECT_EQ(table.get(bob, g("a")), Answer{Outcome::lock_get_success});
}

TEST(ShardedTable, S2_ending_twice_changes_nothing) {
  TestShards table(4);
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  SessionLocks idle(SessionId{3});
  table.get(alice, g("a"));
  EXPECT_TRUE(table.end_some(alice, infinite));
  table.get(bob, g("a"));
  EXPECT_TRUE(table.end_some(alice, infinite));
  EXPECT_TRUE(table.end_some(idle, 1));
  EXPECT_TRUE(idle.ended);
  EXPECT_EQ(table.orphan_count(exclusive), 1U);
  EXPECT_EQ(holders(table, exclusive, "a"), std::vector{bob.id});
}

TEST(ShardedTable, a_copy_goes_on_alone) {
  TestShards table(4);
  SessionLocks alice(SessionId{1});
  for (int i = 0; i < 100; ++i) table.get(alice, g(numbered(i)));
  TestShards copy(table);
  SessionLocks alice_in_copy(alice);
  table.end_some(alice, infinite);
  EXPECT_EQ(copy.key_count(exclusive), 100U);
  EXPECT_EQ(copy.release(alice_in_copy, exclusive, numbered(50)), Answer{Outcome::lock_release_success});
  EXPECT_EQ(copy.check_invariants(), std::nullopt);
}

using Seen = std::map<std::string, std::vector<SessionId>>;

// One slice of a walk. A key that comes twice, or whose holders are not as many as is said, is a failure.
bool walk_on(const TestShards& table, LockKind kind, TableCursor& cursor, std::size_t budget, Seen& seen) {
  return table.visit(kind, cursor, budget, [&](std::string_view key, std::uint32_t holder_count, auto for_each_holder) {
    std::vector<SessionId> found;
    for_each_holder([&](SessionId holder) { found.push_back(holder); });
    EXPECT_EQ(found.size(), holder_count);
    EXPECT_TRUE(seen.emplace(key, found).second) << key;
  });
}

TEST_P(ShardCounts, L1_L5_a_walk_alone_sees_everything_once_with_its_holders_in_order) {
  TestShards table(GetParam());
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  std::map<LockKind, Seen> expected;
  for (int i = 0; i < 300; ++i) {
    table.get(alice, g(numbered(i)));
    expected[exclusive][numbered(i)] = {alice.id};
    table.get(i % 2 == 0 ? alice : bob, sg(numbered(i)));
    table.get(i % 2 == 0 ? bob : alice, sg(numbered(i)));
    expected[shared][numbered(i)] = i % 2 == 0 ? std::vector{alice.id, bob.id} : std::vector{bob.id, alice.id};
  }
  for (const std::size_t budget : {std::size_t{1}, std::size_t{7}, infinite}) {
    for (const LockKind kind : {exclusive, shared}) {
      TableCursor cursor;
      Seen seen;
      while (walk_on(table, kind, cursor, budget, seen)) {
      }
      EXPECT_EQ(seen, expected[kind]);
      EXPECT_FALSE(walk_on(table, kind, cursor, budget, seen));
    }
  }
}

TEST_P(ShardCounts, L5_a_walk_over_nothing_is_over_with_the_last_shard) {
  const TestShards table(GetParam());
  TableCursor cursor;
  Seen seen;
  for (std::uint32_t i = 1; i < GetParam(); ++i) EXPECT_TRUE(walk_on(table, exclusive, cursor, infinite, seen));
  EXPECT_FALSE(walk_on(table, exclusive, cursor, infinite, seen));
}

TEST(LockTable, L5_a_look_goes_no_further_than_its_budget_whatever_it_finds) {
  TestTable table;
  for (int i = 0; i < 100; ++i) table.get(SessionId{1}, g(numbered(i)));
  for (const LockKind kind : {exclusive, shared}) {
    std::uint32_t place = 0;
    int looks = 0;
    for (; place != no_index; ++looks) {
      std::size_t seen = 0;
      place = table.visit(kind, place, 5, [&](auto&&...) { ++seen; });
      EXPECT_LE(seen, 5U);
    }
    EXPECT_EQ(looks, 20);
  }
}

TEST_P(ShardCounts, L5_a_lasting_key_is_seen_once_while_others_come_and_go) {
  TestShards table(GetParam());
  std::mt19937 random(GetParam());
  SessionLocks lasting(SessionId{1});
  SessionLocks moving(SessionId{2});
  SessionLocks before(SessionId{3});
  for (int i = 0; i < 300; ++i) {
    table.get(lasting, g(numbered(i)));
    table.get(moving, g("moving" + numbered(i)));
    table.get(before, g("before" + numbered(i)));
  }
  table.end_some(before, infinite);  // its keys existed at no moment of the walk

  TableCursor cursor;
  std::multiset<std::string> seen;
  const auto see = [&](std::string_view key, auto&&...) { seen.emplace(key); };
  while (table.visit(exclusive, cursor, 5, see)) {
    for (int i = 0; i < 5; ++i) {
      const std::string key = "moving" + numbered(static_cast<int>(random() % 300));
      if (table.release(moving, exclusive, key) != Answer{Outcome::lock_release_success}) table.get(moving, g(key));
    }
    table.release(lasting, shared, numbered(0));
  }
  for (int i = 0; i < 300; ++i) EXPECT_EQ(seen.count(numbered(i)), 1U) << numbered(i);
  for (const std::string& key : seen) EXPECT_FALSE(key.starts_with("before")) << key;
}

TEST(ShardedTable, T1_of_itself_it_gives_out_all_tokens_that_there_are) {
  ShardedTable<NullMutex> table({.seed = test_seed});
  EXPECT_EQ(table.token_source().next(), 1U);
  EXPECT_EQ(table.token_source().end(), token_limit);
}

TEST(ShardedTableDeathTest, misuse_aborts_with_a_message) {
  for (const std::uint32_t wrong : {0U, 3U, 128U}) EXPECT_DEATH(TestShards{wrong}, "1, 2, 4 ... 64 shards");
  TestShards table(1);
  SessionLocks nobody(SessionId::nobody);
  EXPECT_DEATH(table.get(nobody, g("k")), "a lock is taken by a session");
  EXPECT_DEATH(table.end_some(nobody, 0), "the end of a session makes progress");
}

}  // namespace
}  // namespace lockd::engine
