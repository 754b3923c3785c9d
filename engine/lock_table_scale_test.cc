// LockTable with more holders, sessions and keys than any small counter or table has room for.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/lock_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

std::vector<SessionId> sessions(std::uint64_t count) {
  std::vector<SessionId> ids;
  for (std::uint64_t i = 1; i <= count; ++i) ids.push_back(SessionId{i});
  return ids;
}

std::vector<SessionId> holders(const LockTable& table, std::string_view key) {
  std::vector<SessionId> found;
  table.visit_holders(shared, hashed(key), [&](SessionId session) { found.push_back(session); });
  return found;
}

TEST(LockTableScale, H1_seventy_thousand_sessions_hold_one_key) {
  TestTable table({.part_count = 64});
  const std::string_view key = "k";
  const auto ids = sessions(70000);
  for (std::uint64_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(table.get(ids[i], sg(key)).answer, (Answer{Outcome::shared_get_success, i + 1}));
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(table.inspect(shared, hashed(key)), (Answer{Outcome::shared_is_locked, 70000}));
  EXPECT_EQ(holders(table, "k"), ids);
  EXPECT_EQ(table.get(ids[500], sg(key)).answer, (Answer{Outcome::shared_get_success, 70000}));
  EXPECT_EQ(table.release(SessionId{70001}, shared, key).answer, Answer{Outcome::shared_release_failure});
}

TEST(LockTableScale, H2_any_of_many_holders_leaves_and_the_order_of_the_others_stays) {
  TestTable table({.part_count = 64});
  const std::string_view key = "k";
  auto staying = sessions(70000);
  for (const SessionId session : staying) table.get(session, sg(key));
  std::vector<SessionId> leaving;
  std::ranges::copy_if(staying, std::back_inserter(leaving),
                       [](SessionId id) { return static_cast<std::uint64_t>(id) % 3 != 0; });
  std::erase_if(staying, [](SessionId id) { return static_cast<std::uint64_t>(id) % 3 != 0; });
  std::ranges::shuffle(leaving, std::mt19937(1));
  for (const SessionId session : leaving) {
    ASSERT_EQ(table.release(session, shared, key).answer, Answer{Outcome::shared_release_success});
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(holders(table, "k"), staying);
  EXPECT_EQ(table.inspect(shared, hashed(key)), (Answer{Outcome::shared_is_locked, staying.size()}));
}

TEST(LockTableScale, S2_twenty_thousand_sessions_that_share_one_key_end_one_by_one) {
  TestTable table({.part_count = 64});
  const auto ids = sessions(20000);
  for (const SessionId session : ids) {
    const std::string own = "own" + std::to_string(static_cast<std::uint64_t>(session));
    table.get(session, sg("k"));
    table.get(session, g(own));
  }
  auto order = ids;
  std::ranges::shuffle(order, std::mt19937(2));
  for (std::uint64_t ended = 1; ended <= order.size(); ++ended) {
    const SessionId session = order[ended - 1];
    if (ended % 2 == 0) {
      ASSERT_EQ(table.end_some(session, infinite), 2U);
    } else {
      ASSERT_EQ(table.end_some(session, 1) + table.end_some(session, 1) + table.end_some(session, 1), 2U);
    }
    ASSERT_EQ(table.inspect(shared, hashed("k")).number, order.size() - ended);
    ASSERT_EQ(table.orphan_count(shared), ended);
    ASSERT_EQ(table.orphan_count(exclusive), ended);
    if (ended % 1000 == 0) {
      ASSERT_EQ(table.check_invariants(), std::nullopt);
    }
  }
  EXPECT_EQ(table.key_count(exclusive) + table.key_count(shared), 0U);
}

TEST(LockTableScale, S2_one_session_gives_up_a_hundred_thousand_locks_and_no_other_gives_up_any) {
  constexpr std::size_t lock_count = 100000;
  TestTable table({.part_count = 64});
  const SessionId ending{1};
  const SessionId staying{2};
  for (std::size_t i = 0; i < lock_count / 2; ++i) {
    const std::string key = "key" + std::to_string(i);
    table.get(ending, g(key));
    table.get(ending, sg(key));
    table.get(staying, sg(key));
  }
  std::size_t released = 0;
  while (const std::size_t slice = table.end_some(ending, 1000)) {
    ASSERT_EQ(slice, 1000U);
    released += slice;
    ASSERT_EQ(table.orphan_count(exclusive) + table.orphan_count(shared), released);
  }
  EXPECT_EQ(released, lock_count);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(table.key_count(exclusive), 0U);
  EXPECT_EQ(table.key_count(shared), lock_count / 2);
  EXPECT_EQ(table.end_some(staying, infinite), lock_count / 2);
}

TEST(LockTableScale, X1_many_keys_are_all_found_and_all_different) {
  TestTable table({.part_count = 64});
  const SessionId holder{1};
  const SessionId other{2};
  const auto key = [](int i) { return "key" + std::to_string(i); };
  for (int i = 0; i < 100000; ++i) {
    ASSERT_EQ(table.get(holder, g(key(i))).answer, Answer{Outcome::lock_get_success});
    ASSERT_EQ(table.key_count(exclusive), static_cast<std::uint64_t>(i) + 1);
  }
  for (int i = 0; i < 100000; i += 2) {
    ASSERT_EQ(table.release(holder, exclusive, key(i)).answer, Answer{Outcome::lock_release_success});
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  for (int i = 0; i < 100000; ++i) {
    const Outcome expected = i % 2 == 0 ? Outcome::lock_get_success : Outcome::lock_get_failure;
    ASSERT_EQ(table.get(other, g(key(i))).answer, Answer{expected});
  }
}

TEST(LockTableScale, a_copy_goes_on_alone) {
  TestTable table;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 3000; ++i) keys.push_back("key" + std::string(i % 40, '.') + std::to_string(i));
  for (const std::string& key : keys) {
    table.get(SessionId{1}, g(key));
    table.get(SessionId{2}, sg(key));
  }
  TestTable copy(table);
  EXPECT_EQ(table.end_some(SessionId{1}, infinite), keys.size());
  for (const std::string& key : keys) {
    ASSERT_EQ(copy.inspect(exclusive, hashed(key)), Answer{Outcome::lock_is_locked});
    ASSERT_EQ(copy.release(SessionId{2}, shared, key).answer, Answer{Outcome::shared_release_success});
    ASSERT_EQ(table.inspect(shared, hashed(key)), (Answer{Outcome::shared_is_locked, 1}));
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(copy.check_invariants(), std::nullopt);
  EXPECT_EQ(copy.orphan_count(exclusive), 0U);
}

}  // namespace
}  // namespace lockd::engine
