// That what a request costs does not grow with what there is: counted in uses of records, not in time. (Built with
// LOCKD_COUNT_SLAB_USES.)
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "engine/lock_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

constexpr std::uint64_t few = 15;
constexpr std::uint64_t many = 15000;

template <class Call>
std::uint64_t uses_of(Call call) {
  const std::uint64_t before = slab_uses;
  call();
  return slab_uses - before;
}

constexpr SessionId holder{1};
SessionId nth(std::uint64_t i) { return SessionId{100 + i}; }

// One key of which `holder` has the lock, and for which others wait, with the place of each in line. (Tokens enough for
// all are drawn beforehand.)
struct Crowd {
  Crowd(std::uint64_t size, LockKind of_kind) : kind(of_kind) {
    table.get(holder, get_of(kind, "k"));
    for (std::uint64_t i = 0; i < size; ++i) places.push_back(table.get(nth(i), wait()).claim);
    table.woken.reserve(size);
  }

  Get wait() const { return kind == exclusive ? gw("k") : sgw(1, "k"); }

  TestTable table;
  LockKind kind;
  std::vector<std::uint32_t> places;
};

// Indices are walked by runs of equal or neighbouring hashes: their length varies a little, but not with the number.
constexpr std::uint64_t uses_of_a_request_max = 200;

class Cost : public ::testing::TestWithParam<LockKind> {};

INSTANTIATE_TEST_SUITE_P(kinds, Cost, ::testing::Values(exclusive, shared));

TEST_P(Cost, W4_a_release_and_grant_uses_as_little_with_15000_waiters_as_with_15) {
  for (const std::uint64_t size : {few, many}) {
    Crowd crowd(size, GetParam());
    EXPECT_LE(uses_of([&] { crowd.table.release(holder, crowd.kind, "k"); }), uses_of_a_request_max) << size;
    EXPECT_EQ(crowd.table.woken.size(), 1U);
    EXPECT_LE(uses_of([&] { crowd.table.end_some(nth(0), 1); }), uses_of_a_request_max) << size;
    EXPECT_EQ(crowd.table.woken.size(), 2U);
  }
}

TEST_P(Cost, W1_C2_entering_a_line_uses_as_little_behind_15000_as_behind_15) {
  for (const std::uint64_t size : {few, many}) {
    Crowd crowd(size, GetParam());
    std::uint64_t least = UINT64_MAX;  // now and then a table grows
    for (std::uint64_t i = 0; i < 5; ++i) {
      least = std::min(least, uses_of([&] { crowd.table.get(nth(size + i), crowd.wait()); }));
    }
    EXPECT_LE(least, uses_of_a_request_max) << size;
  }
}

TEST_P(Cost, W5_leaving_a_line_uses_as_little_from_the_middle_of_15000_as_of_15) {
  for (const std::uint64_t size : {few, many}) {
    Crowd crowd(size, GetParam());
    for (const std::uint64_t at : {size / 2, size - 1, std::uint64_t{0}}) {
      EXPECT_LE(uses_of([&] { crowd.table.leave_line(nth(at), crowd.places[at]); }), uses_of_a_request_max) << size;
    }
  }
}

TEST_P(Cost, W6_W8_X3_E3_looking_uses_as_little_with_15000_waiters_as_with_15) {
  for (const std::uint64_t size : {few, many}) {
    const Crowd crowd(size, GetParam());
    EXPECT_LE(uses_of([&] { crowd.table.inspect(crowd.kind, hashed("k")); }), 10U);
    EXPECT_LE(uses_of([&] { crowd.table.inspect_line(crowd.kind, hashed("k")); }), 10U);
    EXPECT_LE(uses_of([&] { crowd.table.blocker(nth(size - 1), crowd.places.back()); }), 10U);
    EXPECT_LE(uses_of([&] { crowd.table.totals(crowd.kind); }), 10U);
    EXPECT_EQ(crowd.table.totals(crowd.kind).longest_line, size);
  }
}

TEST_P(Cost, W5_S2_all_15000_dropping_from_the_line_in_any_order_is_linear) {
  std::vector<std::uint64_t> order(many);
  std::iota(order.begin(), order.end(), 0);
  for (const int arrangement : {0, 1, 2}) {  // first come first, last come first, at random
    if (arrangement == 1) std::ranges::reverse(order);
    if (arrangement == 2) std::ranges::shuffle(order, std::mt19937(1));
    Crowd crowd(many, GetParam());
    const std::uint64_t uses = uses_of([&] {
      for (const std::uint64_t at : order) crowd.table.leave_line(nth(at), crowd.places[at]);
    });
    EXPECT_LE(uses, many * uses_of_a_request_max);
    EXPECT_EQ(crowd.table.totals(crowd.kind).waiters, 0U);
  }
}

TEST_P(Cost, W4_S2_a_lock_that_goes_through_15000_hands_uses_a_little_for_each) {
  Crowd crowd(many, GetParam());
  const std::uint64_t uses = uses_of([&] {
    crowd.table.end_some(holder, 1);
    for (std::uint64_t i = 0; i < many; ++i) crowd.table.end_some(nth(i), 1);
  });
  EXPECT_LE(uses, many * uses_of_a_request_max);
  EXPECT_EQ(crowd.table.woken.size(), many);
  EXPECT_EQ(crowd.table.key_count(crowd.kind), 0U);
}

TEST(CostOfLimits, C2_letting_15000_through_at_once_uses_a_little_for_each) {
  TestTable table;
  table.get(holder, sg("k"));
  table.get(nth(0), sgw(1, "k"));
  for (std::uint64_t i = 1; i < many; ++i) table.get(nth(i), sgw(2 * many, "k"));
  EXPECT_LE(uses_of([&] { table.release(holder, shared, "k"); }), many * uses_of_a_request_max);
  EXPECT_EQ(table.woken.size(), many);
}

TEST(CostOfOwnKeys, X1_X2_own_keys_cost_the_same_beside_15000_who_wait_for_another) {
  const auto uses_with = [](std::uint64_t size) {
    Crowd crowd(size, exclusive);
    return uses_of([&] {
      for (int i = 0; i < 100; ++i) {
        crowd.table.get(SessionId{2}, g("own"));
        crowd.table.release(SessionId{2}, exclusive, "own");
      }
    });
  };
  EXPECT_LE(uses_with(many), 100 * 40);
  EXPECT_LE(uses_with(0), 100 * 40);
}

}  // namespace
}  // namespace lockd::engine
