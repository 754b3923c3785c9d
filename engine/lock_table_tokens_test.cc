// LockTable's tokens (T1, T2) and what it counts (E2, E3).
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/lock_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

constexpr SessionId alice{1};
constexpr SessionId bob{2};
constexpr SessionId carol{3};
constexpr SessionId dave{4};

std::uint64_t token_of(const TestTable& table, LockKind kind, SessionId session, std::string_view key) {
  return table.token(kind, session, table.hashed_key(key)).number;
}

TEST(LockTableTokens, T2_says_the_token_of_ones_own_hold_and_of_no_other) {
  TestTable table({.first_token = 1000});
  EXPECT_EQ(table.token(exclusive, alice, hashed("k")), Answer{Outcome::lock_not_held});
  EXPECT_EQ(table.token(shared, alice, hashed("k")), Answer{Outcome::shared_not_held});
  table.get(alice, g("k"));
  table.get(alice, sg("s"));
  table.get(bob, sg("s"));
  EXPECT_EQ(table.token(exclusive, alice, hashed("k")), (Answer{Outcome::lock_token, 1000}));
  EXPECT_EQ(table.token(shared, alice, hashed("s")), (Answer{Outcome::shared_token, 1001}));
  EXPECT_EQ(table.token(shared, bob, hashed("s")), (Answer{Outcome::shared_token, 1002}));
  EXPECT_EQ(table.token(exclusive, bob, hashed("k")), Answer{Outcome::lock_not_held});
  EXPECT_EQ(table.token(shared, alice, hashed("k")), Answer{Outcome::shared_not_held});
}

TEST(LockTableTokens, T2_who_waits_has_none) {
  TestTable table;
  table.get(alice, g("k"));
  table.get(alice, sg("k"));
  table.get(bob, gw("k"));
  table.get(carol, sgw(1, "k"));
  EXPECT_EQ(table.token(exclusive, bob, hashed("k")), Answer{Outcome::lock_not_held});
  EXPECT_EQ(table.token(shared, carol, hashed("k")), Answer{Outcome::shared_not_held});
}

TEST(LockTableTokens, T1_getting_again_keeps_the_token_and_getting_anew_does_not) {
  TestTable table;
  table.get(alice, g("k"));
  const auto first = token_of(table, exclusive, alice, "k");
  table.get(bob, g("other"));
  table.get(alice, g("k"));
  EXPECT_EQ(token_of(table, exclusive, alice, "k"), first);
  table.release(alice, exclusive, "k");
  table.get(alice, g("k"));
  EXPECT_GT(token_of(table, exclusive, alice, "k"), first);
}

TEST(LockTableTokens, T1_a_hand_over_gets_a_larger_token_than_all_before) {
  TestTable table;
  table.get(alice, sgl(1, "k"));
  table.get(bob, sgw(2, "k"));
  table.get(carol, sgw(2, "k"));
  table.get(dave, sg("k"));
  table.release(alice, shared, "k");
  table.release(bob, shared, "k");
  EXPECT_LT(token_of(table, shared, dave, "k"), token_of(table, shared, carol, "k"));
}

TEST(LockTableTokens, T1_tokens_grow_and_differ_over_many_ranges) {
  TestTable table;
  std::set<std::uint64_t> seen;
  std::uint64_t last = 0;
  for (int i = 0; i < 20000; ++i) {
    table.get(alice, g("k"));
    const auto token = token_of(table, exclusive, alice, "k");
    ASSERT_GT(token, last);
    last = token;
    table.release(alice, exclusive, "k");
    if (i % 3 == 0) table.source.draw(5000);  // another shard
  }
}

// Where they start from the clock, a server that is started again must find it ahead of all tokens.
TEST(LockTableTokens, T1_W4_few_more_are_drawn_than_are_given_out_or_set_aside) {
  for (const LockKind kind : {exclusive, shared}) {
    TestTable table({.first_token = 1});
    for (std::uint64_t grants = 1; grants < 40000; ++grants) {
      table.get(alice, get_of(kind, "k"));
      table.release(alice, kind, "k");
      ASSERT_LE(table.source.next() - 1, grants + grants / 8 + 1);
    }
  }
  TestTable table({.first_token = 1});
  const auto drawn = table.source.next();
  table.get(alice, g("k"));
  for (std::uint64_t id = 2; id < 10000; ++id) table.get(SessionId{id}, gw("k"));
  EXPECT_LT(table.source.next() - drawn, 30000U);
}

// The other shard's draw comes between; what is drawn must suffice for all who wait, not for one.
TEST(LockTableTokens, T1_W4_each_who_waits_has_one_set_aside_beside_other_shards) {
  TestTable table({.first_token = 1, .tokens_end = 20});
  table.get(SessionId{1}, g("k"));
  std::uint64_t waiters = 0;
  for (std::uint64_t id = 2; id < 20; ++id) {
    table.source.draw(1);
    if (!table.get(SessionId{id}, gw("k")).answer) ++waiters;
    ASSERT_EQ(table.check_invariants(), std::nullopt);
  }
  EXPECT_GT(waiters, 1U);
  table.release(SessionId{1}, exclusive, "k");
  for (std::uint64_t id = 2; id < 2 + waiters; ++id) table.release(SessionId{id}, exclusive, "k");
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

// What the source has left would make the table's range long enough, but does not lie behind it any more: then the
// range that the waiters count on stays, however many wait, few are left, and others draw.
TEST(LockTableTokens, T1_W4_what_is_set_aside_is_not_given_up_for_less) {
  for (std::uint64_t waiters_before = 0; waiters_before < 12; ++waiters_before) {
    for (std::uint64_t left = 0; left < 12; ++left) {
      TestTable table({.first_token = 1, .tokens_end = 1000});
      table.get(SessionId{1}, g("k"));
      for (std::uint64_t i = 0; i < waiters_before; ++i) table.get(SessionId{2 + i}, gw("k"));
      table.source.draw(table.source.end() - table.source.next() - left);
      std::uint64_t waiters = waiters_before;
      for (int i = 0; i < 12; ++i) waiters += table.get(SessionId{2 + waiters}, gw("k")).answer ? 0 : 1;
      ASSERT_EQ(table.check_invariants(), std::nullopt) << waiters_before << " before, of " << left << " left";
      for (std::uint64_t id = 1; id < 2 + waiters; ++id) table.release(SessionId{id}, exclusive, "k");
    }
  }
}

TEST(LockTableTokens, T1_when_tokens_are_out_nobody_gets_a_lock_but_who_holds_one_keeps_it) {
  TestTable table({.first_token = 7, .tokens_end = 9});
  table.get(alice, g("a"));
  table.get(alice, sg("a"));
  EXPECT_EQ(table.get(bob, g("b")).answer, Answer{Outcome::out_of_tokens});
  EXPECT_EQ(table.get(bob, gw("b")).answer, Answer{Outcome::out_of_tokens});
  EXPECT_EQ(table.get(bob, sg("a")).answer, Answer{Outcome::out_of_tokens});
  EXPECT_EQ(table.get(alice, g("a")).answer, Answer{Outcome::lock_get_success});
  EXPECT_EQ(table.get(alice, sg("a")).answer, (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  table.source.raise_end(10);
  EXPECT_EQ(table.get(bob, g("b")).answer, Answer{Outcome::lock_get_success});
  EXPECT_EQ(token_of(table, exclusive, bob, "b"), 9U);
}

TEST(LockTableTokens, T1_W10_what_is_refused_anyway_keeps_its_own_refusal) {
  TestTable table({.waiters_max = 1, .first_token = 1, .tokens_end = 3});
  table.get(alice, g("k"));
  EXPECT_EQ(table.get(bob, gw("k")).answer, std::nullopt);  // the second token is set aside for bob
  EXPECT_EQ(table.get(carol, g("free")).answer, Answer{Outcome::out_of_tokens});
  EXPECT_EQ(table.get(carol, g("free"), false).answer, Answer{Outcome::too_many_locks});
  EXPECT_EQ(table.get(carol, g("k")).answer, Answer{Outcome::lock_get_failure});
  EXPECT_EQ(table.get(carol, gw("k")).answer, Answer{Outcome::too_many_waiters});
}

TEST(LockTableTokens, T1_W4_a_token_is_set_aside_for_each_who_waits) {
  TestTable table({.first_token = 1, .tokens_end = 4});
  table.get(alice, g("k"));
  const std::uint32_t place = table.get(bob, gw("k")).claim;
  table.get(carol, gw("k"));
  EXPECT_EQ(table.get(dave, gw("k")).answer, Answer{Outcome::out_of_tokens});
  EXPECT_EQ(table.get(dave, g("free")).answer, Answer{Outcome::out_of_tokens});
  table.leave_line(bob, place);
  EXPECT_EQ(table.get(dave, g("free")).answer, Answer{Outcome::lock_get_success});  // the one that was bob's
  EXPECT_EQ(table.get(bob, gw("k")).answer, Answer{Outcome::out_of_tokens});
  table.release(alice, exclusive, "k");
  EXPECT_EQ(token_of(table, exclusive, carol, "k"), 3U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST(LockTableTokens, T1_a_range_that_does_not_suffice_for_the_waiters_is_given_up_for_a_larger_one) {
  TestTable table;
  table.get(SessionId{1}, g("k"));
  for (std::uint64_t id = 2; id < 10000; ++id) ASSERT_EQ(table.get(SessionId{id}, gw("k")).answer, std::nullopt);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  const auto drawn = table.source.next();
  std::uint64_t last = 0;
  for (std::uint64_t id = 1; id < 10000; ++id) {
    const auto token = token_of(table, exclusive, SessionId{id}, "k");
    ASSERT_GT(token, last);
    last = token;
    table.release(SessionId{id}, exclusive, "k");
  }
  EXPECT_EQ(table.source.next(), drawn);  // what was set aside sufficed
}

TEST(LockTableTokens, T1_tokens_up_to_the_last_of_all_are_kept_whole) {
  TestTable table({.first_token = token_limit - 3});
  table.now = (Moment{1} << 43) - 1;
  for (const SessionId session : {alice, bob, carol}) table.get(session, sg("k"));
  EXPECT_EQ(table.get(dave, sg("k")).answer, Answer{Outcome::out_of_tokens});
  std::vector<Claim> seen;
  table.visit_claims(0, infinite, [&](auto, auto, auto, auto for_each_claim) {
    for_each_claim([&](const Claim& claim) { seen.push_back(claim); });
  });
  const auto expected = [&](SessionId session, std::uint64_t ago) {
    return Claim{session, token_limit - ago, table.now};
  };
  EXPECT_EQ(seen, (std::vector{expected(alice, 3), expected(bob, 2), expected(carol, 1)}));
}

TEST(LockTableTokens, T1_token_and_moment_share_twelve_bytes_and_not_a_bit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t token = random() >> (11 + random() % 53);
    const Moment moment = random() >> (21 + random() % 43);
    const Stamp stamp(token, moment);
    ASSERT_EQ(stamp.token(), token);
    ASSERT_EQ(stamp.moment(), moment);
  }
  EXPECT_EQ(sizeof(Stamp), 12U);
  EXPECT_DEATH(Stamp(token_limit, 0), "tokens are below 2\\^53");
  EXPECT_DEATH(Stamp(0, Moment{1} << 43), "moments below 2\\^43");
}

// visit_claims() as text, sorted: a line for each key.
std::vector<std::string> listing(const TestTable& table, std::size_t budget) {
  std::vector<std::string> rows;
  std::uint32_t at = 0;
  while (at != no_index) {
    at = table.visit_claims(at, budget, [&](LockKind kind, std::string_view key, std::uint32_t count, auto for_each) {
      std::string row = (kind == exclusive ? "x " : "s ") + std::string(key) + " " + std::to_string(count);
      for_each([&](const Claim& claim) {
        row += " " + std::to_string(static_cast<std::uint64_t>(claim.session)) + (claim.token == 0 ? "w" : "h") +
               std::to_string(claim.since);
      });
      rows.push_back(row);
    });
  }
  std::ranges::sort(rows);
  return rows;
}

// A step of a walk takes a time that its budget bounds, however many sessions have to do with a key.
TEST(LockTableListing, E2_L5_a_key_counts_as_many_as_hold_it_and_wait_for_it) {
  TestTable table;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    for (std::uint64_t id = 1; id <= 50; ++id) table.get(SessionId{id}, sg(key));
    for (std::uint64_t id = 1; id <= 50; ++id) table.get(SessionId{1000 + 50 * i + id}, sgw(1, key));
  }
  std::uint64_t seen = 0;
  for (std::uint32_t at = 0; at != no_index;) {
    std::uint64_t in_step = 0;
    at = table.visit_claims(at, 100, [&](auto, auto, std::uint32_t count, auto) { in_step += count; });
    EXPECT_LE(in_step, 200U);
    seen += in_step;
  }
  EXPECT_EQ(seen, 20U * 100);
}

TEST(LockTableListing, E2_L5_shows_holders_in_the_order_of_taking_then_the_line_each_with_its_moment) {
  TestTable table;
  table.now = 5;
  table.get(alice, g("k"));
  table.get(alice, sgl(1, "k"));
  table.now = 7;
  table.get(bob, gw("k"));
  table.get(carol, gw("k"));
  table.now = 8;
  table.get(dave, sgw(1, "k"));
  table.get(bob, sg("alone"));
  for (const std::size_t budget : {std::size_t{1}, std::size_t{2}, infinite}) {
    EXPECT_EQ(listing(table, budget),
              (std::vector<std::string>{"s alone 1 2h8", "s k 2 1h5 4w8", "x k 3 1h5 2w7 3w7"}));
  }
  table.now = 9;
  table.release(alice, exclusive, "k");
  EXPECT_EQ(listing(table, 1), (std::vector<std::string>{"s alone 1 2h8", "s k 2 1h5 4w8", "x k 2 2h9 3w7"}));
}

TEST(LockTableTotals, E3_count_what_is_and_what_was_of_each_kind) {
  TestTable table;
  EXPECT_EQ(table.totals(exclusive), KindTotals{});
  table.now = 100;
  table.get(alice, g("a"));
  table.get(alice, g("b"));
  table.get(alice, sg("a"));
  table.get(bob, sg("a"));
  const std::uint32_t place = table.get(carol, gw("a")).claim;
  table.now = 200;
  table.get(dave, gw("a"));
  const KindTotals before = table.totals(exclusive);
  EXPECT_EQ(before.keys, 2U);
  EXPECT_EQ(before.holders, 2U);
  EXPECT_EQ(before.waiters, 2U);
  EXPECT_EQ(before.longest_line, 2U);
  EXPECT_EQ(before.oldest_wait, Moment{100});
  EXPECT_EQ(before.grants, 2U);
  EXPECT_EQ(before.waits, 2U);
  EXPECT_EQ(before.orphans, 0U);
  EXPECT_EQ(table.totals(shared).holders, 2U);
  EXPECT_EQ(table.totals(shared).oldest_wait, std::nullopt);

  table.now = 1101;
  table.leave_line(carol, place);  // waited 1001 ms
  EXPECT_EQ(table.totals(exclusive).oldest_wait, Moment{200});
  EXPECT_EQ(table.totals(exclusive).longest_line, 1U);
  table.end_some(alice, infinite);  // held each of three 1001 ms; dave waited 901 ms
  const KindTotals after = table.totals(exclusive);
  EXPECT_EQ(after.keys, 1U);
  EXPECT_EQ(after.grants, 3U);
  EXPECT_EQ(after.orphans, 2U);
  EXPECT_EQ(after.longest_line, 0U);
  EXPECT_EQ(after.oldest_wait, std::nullopt);
  EXPECT_EQ(after.wait_ms.sum_ms, 1001U + 901U);
  EXPECT_EQ(after.hold_ms.sum_ms, 2 * 1001U);
  EXPECT_EQ(after.hold_ms.buckets[Histogram::bucket_of(1001)], 2U);
  EXPECT_EQ(table.totals(shared).orphans, 1U);
}

TEST(LockTableTotals, E3_moments_that_come_in_another_order_than_their_requests_count_as_equal) {
  TestTable table;
  table.now = 10;
  table.get(alice, g("k"));
  table.get(bob, gw("k"));
  table.now = 9;
  table.release(alice, exclusive, "k");
  EXPECT_EQ(table.totals(exclusive).hold_ms.sum_ms, 0U);
  EXPECT_EQ(table.totals(exclusive).wait_ms.sum_ms, 0U);
  EXPECT_EQ(table.totals(exclusive).wait_ms.total(), 1U);
}

TEST(LockTableTotals, E3_parts_of_a_whole_are_added) {
  KindTotals sum{.keys = 1, .longest_line = 5, .oldest_wait = 7};
  sum += {.keys = 2, .longest_line = 3};
  EXPECT_EQ(sum, (KindTotals{.keys = 3, .longest_line = 5, .oldest_wait = 7}));
  sum += {.oldest_wait = 8};
  EXPECT_EQ(sum.oldest_wait, Moment{7});
  sum += {.longest_line = 6, .oldest_wait = 6};
  EXPECT_EQ(sum, (KindTotals{.keys = 3, .longest_line = 6, .oldest_wait = 6}));
  KindTotals none;
  none += sum;
  EXPECT_EQ(none, sum);
}

}  // namespace
}  // namespace lockd::engine
