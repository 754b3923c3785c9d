// LockTable clause by clause: what each request answers and what it leaves alone.
#include "engine/lock_table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

constexpr SessionId alice{1};
constexpr SessionId bob{2};
constexpr SessionId carol{3};

// A table whose requests are checked against every invariant, and whose session's counts are checked too.
class LockTableTest : public ::testing::Test {
 protected:
  Answer get(LockKind kind, SessionId session, std::string_view key, bool may_take = true) {
    return checked(table_.get(session, get_of(kind, key), may_take), session);
  }
  Answer release(LockKind kind, SessionId session, std::string_view key) {
    return checked(table_.release(session, kind, key), session);
  }
  Answer inspect(LockKind kind, std::string_view key) const { return table_.inspect(kind, hashed(key)); }

  std::size_t end_some(SessionId session, std::size_t budget) {
    const std::size_t released = table_.end_some(session, budget);
    EXPECT_EQ(table_.check_invariants(), std::nullopt);
    held_[session] -= static_cast<int>(released);
    return released;
  }

  std::vector<SessionId> holders(LockKind kind, std::string_view key) const {
    std::vector<SessionId> found;
    table_.visit_holders(kind, hashed(key), [&](SessionId session) { found.push_back(session); });
    return found;
  }

  HashedKey hashed(std::string_view key) const { return table_.hashed_key(key); }

  TestTable table_;
  std::map<SessionId, int> held_;  // by the changes that the table reported

 private:
  Answer checked(const Told& result, SessionId session) {
    EXPECT_EQ(table_.check_invariants(), std::nullopt);
    held_[session] += result.held_change;
    return result.answer.value();
  }
};

using Holders = std::vector<SessionId>;

TEST_F(LockTableTest, X1_a_free_key_is_granted) {
  EXPECT_EQ(get(exclusive, alice, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(holders(exclusive, "k"), Holders{alice});
  EXPECT_EQ(table_.key_count(exclusive), 1U);
  EXPECT_EQ(held_[alice], 1);
}

TEST_F(LockTableTest, X1_the_holder_gets_it_again_and_holding_is_not_counted) {
  get(exclusive, alice, "k");
  EXPECT_EQ(get(exclusive, alice, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(held_[alice], 1);
  EXPECT_EQ(release(exclusive, alice, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(inspect(exclusive, "k"), Answer{Outcome::lock_not_locked});
}

TEST_F(LockTableTest, X1_a_held_key_is_refused_to_others_and_stays_with_its_holder) {
  get(exclusive, alice, "k");
  EXPECT_EQ(get(exclusive, bob, "k"), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(holders(exclusive, "k"), Holders{alice});
  EXPECT_EQ(held_[bob], 0);
}

TEST_F(LockTableTest, X2_the_holder_releases_and_another_can_take_it) {
  get(exclusive, alice, "k");
  EXPECT_EQ(release(exclusive, alice, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(held_[alice], 0);
  EXPECT_EQ(table_.key_count(exclusive), 0U);
  EXPECT_EQ(get(exclusive, bob, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(end_some(alice, infinite), 0U);  // X2, S2: it does not come back with the end of its former holder
  EXPECT_EQ(holders(exclusive, "k"), Holders{bob});
}

TEST_F(LockTableTest, X2_only_the_holder_can_release) {
  EXPECT_EQ(release(exclusive, alice, "k"), Answer{Outcome::lock_release_failure});
  get(exclusive, alice, "k");
  EXPECT_EQ(release(exclusive, bob, "k"), Answer{Outcome::lock_release_failure});
  get(exclusive, bob, "other");
  EXPECT_EQ(release(exclusive, bob, "k"), Answer{Outcome::lock_release_failure});
  EXPECT_EQ(holders(exclusive, "k"), Holders{alice});
  EXPECT_EQ(held_[alice], 1);
}

TEST_F(LockTableTest, X3_says_whether_anybody_holds_it) {
  EXPECT_EQ(inspect(exclusive, "k"), Answer{Outcome::lock_not_locked});
  get(exclusive, alice, "k");
  EXPECT_EQ(inspect(exclusive, "k"), Answer{Outcome::lock_is_locked});
  EXPECT_EQ(inspect(exclusive, "other"), Answer{Outcome::lock_not_locked});
}

TEST_F(LockTableTest, H1_counts_the_holders_the_new_one_included) {
  EXPECT_EQ(get(shared, alice, "k"), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(get(shared, bob, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(get(shared, carol, "k"), (Answer{Outcome::shared_get_success, 3}));
  EXPECT_EQ(holders(shared, "k"), (Holders{alice, bob, carol}));
}

TEST_F(LockTableTest, H1_a_holder_stays_counted_once_and_keeps_its_place) {
  get(shared, alice, "k");
  get(shared, bob, "k");
  EXPECT_EQ(get(shared, alice, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(held_[alice], 1);
  EXPECT_EQ(holders(shared, "k"), (Holders{alice, bob}));
}

TEST_F(LockTableTest, H2_a_holder_leaves_and_the_others_stay) {
  for (const SessionId session : {alice, bob, carol}) get(shared, session, "k");
  EXPECT_EQ(release(shared, bob, "k"), Answer{Outcome::shared_release_success});
  EXPECT_EQ(holders(shared, "k"), (Holders{alice, carol}));
  EXPECT_EQ(release(shared, alice, "k"), Answer{Outcome::shared_release_success});
  EXPECT_EQ(holders(shared, "k"), Holders{carol});
  EXPECT_EQ(get(shared, alice, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(holders(shared, "k"), (Holders{carol, alice}));
}

TEST_F(LockTableTest, H2_who_does_not_hold_it_can_not_release_it) {
  EXPECT_EQ(release(shared, alice, "k"), Answer{Outcome::shared_release_failure});
  get(shared, alice, "k");
  EXPECT_EQ(release(shared, bob, "k"), Answer{Outcome::shared_release_failure});
  get(shared, bob, "other");
  EXPECT_EQ(release(shared, bob, "k"), Answer{Outcome::shared_release_failure});
  EXPECT_EQ(release(shared, alice, "k"), Answer{Outcome::shared_release_success});
  EXPECT_EQ(release(shared, alice, "k"), Answer{Outcome::shared_release_failure});
}

TEST_F(LockTableTest, H3_says_how_many_hold_it) {
  EXPECT_EQ(inspect(shared, "k"), Answer{Outcome::shared_not_locked});
  get(shared, alice, "k");
  get(shared, bob, "k");
  EXPECT_EQ(inspect(shared, "k"), (Answer{Outcome::shared_is_locked, 2}));
  release(shared, alice, "k");
  EXPECT_EQ(inspect(shared, "k"), (Answer{Outcome::shared_is_locked, 1}));
  release(shared, bob, "k");
  EXPECT_EQ(inspect(shared, "k"), Answer{Outcome::shared_not_locked});
}

TEST_F(LockTableTest, H1_the_two_kinds_never_affect_one_another) {
  EXPECT_EQ(get(exclusive, alice, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(get(shared, bob, "k"), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(get(shared, alice, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(release(exclusive, alice, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(inspect(shared, "k"), (Answer{Outcome::shared_is_locked, 2}));
  EXPECT_EQ(get(exclusive, bob, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(release(shared, bob, "k"), Answer{Outcome::shared_release_success});
  EXPECT_EQ(holders(exclusive, "k"), Holders{bob});
  EXPECT_EQ(holders(shared, "k"), Holders{alice});
}

TEST_F(LockTableTest, S5_a_session_at_its_bound_takes_nothing_but_keeps_what_it_has) {
  get(exclusive, alice, "x");
  get(shared, alice, "s");
  get(exclusive, bob, "taken");
  EXPECT_EQ(get(exclusive, alice, "free", false), Answer{Outcome::too_many_locks});
  EXPECT_EQ(get(exclusive, alice, "taken", false), Answer{Outcome::too_many_locks});
  EXPECT_EQ(get(shared, alice, "free", false), Answer{Outcome::too_many_locks});
  EXPECT_EQ(get(exclusive, alice, "x", false), Answer{Outcome::lock_get_success});
  EXPECT_EQ(get(shared, alice, "s", false), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(held_[alice], 2);
  EXPECT_EQ(inspect(exclusive, "free"), Answer{Outcome::lock_not_locked});
  EXPECT_EQ(inspect(shared, "free"), Answer{Outcome::shared_not_locked});
}

TEST_F(LockTableTest, S2_the_end_of_a_session_frees_its_locks_of_both_kinds_and_counts_them) {
  get(exclusive, alice, "a");
  get(exclusive, alice, "b");
  get(shared, alice, "a");
  get(shared, bob, "a");
  get(exclusive, bob, "c");
  EXPECT_EQ(end_some(alice, infinite), 3U);
  EXPECT_EQ(table_.orphan_count(exclusive), 2U);
  EXPECT_EQ(table_.orphan_count(shared), 1U);
  EXPECT_EQ(holders(shared, "a"), Holders{bob});
  EXPECT_EQ(holders(exclusive, "c"), Holders{bob});
  EXPECT_EQ(table_.key_count(exclusive), 1U);
  EXPECT_EQ(table_.key_count(shared), 1U);
}

TEST_F(LockTableTest, S2_shared_locks_alone_are_freed_too) {
  get(shared, alice, "a");
  get(shared, alice, "b");
  EXPECT_EQ(end_some(alice, infinite), 2U);
  EXPECT_EQ(table_.key_count(shared), 0U);
  EXPECT_EQ(table_.orphan_count(exclusive), 0U);
}

TEST_F(LockTableTest, S2_a_release_is_no_orphan) {
  get(exclusive, alice, "a");
  get(shared, alice, "a");
  release(exclusive, alice, "a");
  release(shared, alice, "a");
  EXPECT_EQ(end_some(alice, infinite), 0U);
  EXPECT_EQ(table_.orphan_count(exclusive) + table_.orphan_count(shared), 0U);
}

TEST_F(LockTableTest, S2_each_slice_frees_as_many_locks_as_its_budget_says) {
  for (int i = 0; i < 10; ++i) get(i % 2 == 0 ? exclusive : shared, alice, "key" + std::to_string(i));
  for (std::uint64_t left = 9; left > 2; --left) {
    EXPECT_EQ(end_some(alice, 1), 1U);
    EXPECT_EQ(table_.key_count(exclusive) + table_.key_count(shared), left);
    EXPECT_EQ(table_.orphan_count(exclusive) + table_.orphan_count(shared), 10 - left);
  }
  EXPECT_EQ(end_some(alice, 2), 2U);
  EXPECT_EQ(end_some(alice, 2), 1U);
  EXPECT_EQ(end_some(alice, 2), 0U);
  EXPECT_EQ(held_[alice], 0);
}

TEST_F(LockTableTest, S2_what_a_slice_freed_can_be_taken_before_the_next) {
  get(exclusive, alice, "a");
  get(exclusive, alice, "b");
  end_some(alice, 1);
  const std::string freed = inspect(exclusive, "a") == Answer{Outcome::lock_not_locked} ? "a" : "b";
  EXPECT_EQ(get(exclusive, bob, freed), Answer{Outcome::lock_get_success});
  EXPECT_EQ(get(exclusive, bob, freed == "a" ? "b" : "a"), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(end_some(alice, 1), 1U);
  EXPECT_EQ(holders(exclusive, freed), Holders{bob});
}

TEST_F(LockTableTest, S1_ids_that_differ_in_their_high_bits_alone_are_different_sessions) {
  constexpr SessionId far{(std::uint64_t{1} << 32) + 1};
  constexpr SessionId farthest{std::numeric_limits<std::uint64_t>::max()};
  get(exclusive, alice, "k");
  EXPECT_EQ(get(exclusive, far, "k"), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(release(exclusive, far, "k"), Answer{Outcome::lock_release_failure});
  for (const SessionId session : {alice, far, farthest}) get(shared, session, "k");
  EXPECT_EQ(holders(shared, "k"), (Holders{alice, far, farthest}));
  EXPECT_EQ(end_some(far, infinite), 1U);
  EXPECT_EQ(holders(shared, "k"), (Holders{alice, farthest}));
}

TEST_F(LockTableTest, F3_any_bytes_are_a_key) {
  using std::string_literals::operator""s;
  std::vector<std::string> keys = {"",     "\0"s,  "\0\0"s,       "a\0b"s, "a\0c"s, "a",    "A",
                                   "\x80", "\xff", "constructor", "key",   "ke",    "keys", "key 1"};
  for (const std::size_t byte_count : {22U, 23U, 24U, 25U, 8192U}) {  // a record holds up to 23 bytes itself
    keys.emplace_back(byte_count, 'k');
    keys.emplace_back(byte_count, '\0');
    keys.push_back(std::string(byte_count - 1, 'k') + "l");
  }
  for (const LockKind kind : {exclusive, shared}) {
    for (const std::string& key : keys) EXPECT_EQ(holders(kind, key), Holders{}) << key.size();
    for (const std::string& key : keys) EXPECT_EQ(get(kind, alice, key).number, kind == shared ? 1U : 0U) << key.size();
    EXPECT_EQ(table_.key_count(kind), keys.size());
  }
  std::vector<std::string> walked;
  table_.visit(exclusive, 0, infinite, [&](std::string_view key, auto&&...) { walked.emplace_back(key); });
  EXPECT_TRUE(std::ranges::is_permutation(walked, keys));
  for (const std::string& key : keys) {
    EXPECT_EQ(release(exclusive, alice, key), Answer{Outcome::lock_release_success}) << key.size();
    EXPECT_EQ(inspect(exclusive, key), Answer{Outcome::lock_not_locked}) << key.size();
  }
  EXPECT_EQ(end_some(alice, infinite), keys.size());
}

// Two keys are kept under one hash if they are of different kinds and these are their own.
TEST(LockTable, H1_the_kinds_are_apart_also_where_an_exclusive_key_has_a_shared_keys_hash) {
  LockTable table(test_seed, 1);
  TokenSource source(1, token_limit);
  const HashedKey key = engine::hashed("k");
  HashedKey shared_key = key;
  shared_key.hash = key.hash ^ 0x9e3779b9;
  const Asker asker{.session = engine::hashed(alice), .closes_no_circle = true};
  EXPECT_EQ(table.get(g("k"), key, asker, source, 0).answer(), Answer{Outcome::lock_get_success});
  EXPECT_EQ(table.inspect(shared, shared_key), Answer{Outcome::shared_not_locked});
  EXPECT_EQ(table.get(sg("k"), shared_key, asker, source, 0).answer(), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(table.key_count(exclusive), 1U);
  EXPECT_EQ(table.key_count(shared), 1U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST_F(LockTableTest, F3_keys_of_equal_hash_are_different_keys) {
  table_.all_hashes_equal = true;
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i));
  for (const std::string& key : keys) {
    EXPECT_EQ(get(exclusive, alice, key), Answer{Outcome::lock_get_success});
    EXPECT_EQ(get(shared, alice, key), (Answer{Outcome::shared_get_success, 1}));
    EXPECT_EQ(get(shared, bob, key), (Answer{Outcome::shared_get_success, 2}));
  }
  for (std::size_t i = 0; i < keys.size(); i += 2) {
    EXPECT_EQ(release(shared, alice, keys[i]), Answer{Outcome::shared_release_success});
    EXPECT_EQ(release(exclusive, alice, keys[i]), Answer{Outcome::lock_release_success});
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(holders(exclusive, keys[i]), i % 2 == 0 ? Holders{} : Holders{alice});
    EXPECT_EQ(holders(shared, keys[i]), i % 2 == 0 ? Holders{bob} : (Holders{alice, bob}));
  }
}

}  // namespace
}  // namespace lockd::engine
