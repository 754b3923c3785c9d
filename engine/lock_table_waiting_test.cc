// LockTable's lines, clause by clause: who waits, who is let through when, and what each is answered.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
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
constexpr SessionId erin{5};

using Sessions = std::vector<SessionId>;
using Waited = std::optional<Answer>;  // nothing: the session waits

// Checks every invariant after each request, and keeps each session's place in line, as its caller would.
class Waiting : public ::testing::Test {
 protected:
  Waited get(SessionId session, const Get& get, bool may_take = true) {
    const Told result = table_.get(session, get, may_take);
    if (!result.answer) places_[session] = result.claim;
    return checked(result);
  }
  Waited release(SessionId session, LockKind kind, std::string_view key) {
    return checked(table_.release(session, kind, key));
  }
  bool leave_line(SessionId session) {
    const bool left = table_.leave_line(session, places_.at(session));
    EXPECT_EQ(table_.check_invariants(), std::nullopt);
    return left;
  }
  std::size_t end_some(SessionId session, std::size_t budget) {
    const std::size_t released = table_.end_some(session, budget);
    EXPECT_EQ(table_.check_invariants(), std::nullopt);
    return released;
  }

  // Who was let through since the last call, in order.
  Sessions woken() {
    Sessions sessions;
    for (const Wakeup& wakeup : std::exchange(table_.woken, {})) sessions.push_back(wakeup.session);
    return sessions;
  }

  // Holders in the order of taking (or_waiters: false), or the line.
  Sessions claimants(LockKind kind, std::string_view key, bool waiters) const {
    Sessions found;
    table_.visit_claims(0, infinite, [&](LockKind seen, std::string_view text, std::uint32_t, auto for_each_claim) {
      if (seen != kind || text != key) return;
      for_each_claim([&](const Claim& claim) {
        if ((claim.token == 0) == waiters) found.push_back(claim.session);
      });
    });
    return found;
  }
  Sessions holders(LockKind kind, std::string_view key) const { return claimants(kind, key, false); }
  Sessions line(LockKind kind, std::string_view key) const { return claimants(kind, key, true); }

  TestTable table_;
  std::map<SessionId, std::uint32_t> places_;

 private:
  Waited checked(const Told& result) {
    EXPECT_EQ(table_.check_invariants(), std::nullopt);
    return result.answer;
  }
};

const Answer got{Outcome::lock_get_success};
Answer got_shared(std::uint64_t number) { return {Outcome::shared_get_success, number}; }

TEST_F(Waiting, W1_a_free_key_is_granted_at_once_and_a_held_one_kept) {
  EXPECT_EQ(get(alice, gw("k")), got);
  EXPECT_EQ(get(alice, gw("k")), got);
  EXPECT_EQ(table_.held, 1U);
  EXPECT_EQ(get(bob, gw("k")), std::nullopt);
  EXPECT_EQ(holders(exclusive, "k"), Sessions{alice});
  EXPECT_EQ(line(exclusive, "k"), Sessions{bob});
}

TEST_F(Waiting, W1_a_get_that_may_not_wait_fails_and_leaves_no_trace) {
  get(alice, g("k"));
  EXPECT_EQ(get(bob, g("k")), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(line(exclusive, "k"), Sessions{});
  release(alice, exclusive, "k");
  EXPECT_EQ(woken(), Sessions{});
}

TEST_F(Waiting, W3_a_get_that_does_not_wait_fails_whether_others_do_or_not) {
  get(alice, g("k"));
  get(bob, gw("k"));
  EXPECT_EQ(get(carol, g("k")), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(get(carol, gw("k")), std::nullopt);
  EXPECT_EQ(line(exclusive, "k"), (Sessions{bob, carol}));
}

TEST_F(Waiting, W3_W4_a_released_key_goes_to_the_first_in_line_in_the_same_step) {
  get(alice, g("k"));
  for (const SessionId session : {bob, carol, dave}) get(session, gw("k"));
  for (const SessionId next : {bob, carol, dave}) {
    EXPECT_EQ(release(holders(exclusive, "k").front(), exclusive, "k"), Answer{Outcome::lock_release_success});
    EXPECT_EQ(table_.woken, (Wakeups{{next, TestTable::home_of(next), got}}));
    EXPECT_EQ(woken(), Sessions{next});
    EXPECT_EQ(holders(exclusive, "k"), Sessions{next});
    EXPECT_EQ(table_.inspect(exclusive, hashed("k")), Answer{Outcome::lock_is_locked});
  }
  EXPECT_EQ(release(dave, exclusive, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(woken(), Sessions{});
  EXPECT_EQ(table_.inspect(exclusive, hashed("k")), Answer{Outcome::lock_not_locked});
  EXPECT_EQ(table_.held, 0U);
}

TEST_F(Waiting, W4_who_waits_can_not_release_what_he_waits_for) {
  get(alice, g("k"));
  get(bob, gw("k"));
  EXPECT_EQ(release(bob, exclusive, "k"), Answer{Outcome::lock_release_failure});
  get(carol, sg("s"));
  get(bob, g("other"));
  get(dave, sgw(1, "s"));
  EXPECT_EQ(release(dave, shared, "s"), Answer{Outcome::shared_release_failure});
  EXPECT_EQ(line(exclusive, "k"), Sessions{bob});
  EXPECT_EQ(line(shared, "s"), Sessions{dave});
}

TEST_F(Waiting, W4_S2_the_end_of_the_holder_hands_each_of_its_locks_on) {
  for (const char* key : {"a", "b", "c"}) get(alice, g(key));
  get(bob, gw("a"));
  get(carol, gw("c"));
  get(dave, gw("c"));
  EXPECT_EQ(end_some(alice, infinite), 3U);
  auto through = woken();
  std::ranges::sort(through);
  EXPECT_EQ(through, (Sessions{bob, carol}));
  EXPECT_EQ(holders(exclusive, "a"), Sessions{bob});
  EXPECT_EQ(holders(exclusive, "b"), Sessions{});
  EXPECT_EQ(holders(exclusive, "c"), Sessions{carol});
  EXPECT_EQ(line(exclusive, "c"), Sessions{dave});
  EXPECT_EQ(table_.orphan_count(exclusive), 3U);
}

TEST_F(Waiting, W5_who_leaves_the_line_is_never_granted) {
  get(alice, g("k"));
  for (const SessionId session : {bob, carol, dave}) get(session, gw("k"));
  EXPECT_TRUE(leave_line(carol));
  EXPECT_EQ(line(exclusive, "k"), (Sessions{bob, dave}));
  EXPECT_TRUE(leave_line(bob));
  EXPECT_EQ(woken(), Sessions{});
  release(alice, exclusive, "k");
  EXPECT_EQ(woken(), Sessions{dave});
  EXPECT_EQ(table_.totals(exclusive).waiters, 0U);
}

TEST_F(Waiting, W5_the_last_in_line_leaves_and_the_key_is_free_after_its_holder) {
  get(alice, g("k"));
  get(bob, gw("k"));
  EXPECT_TRUE(leave_line(bob));
  release(alice, exclusive, "k");
  EXPECT_EQ(table_.key_count(exclusive), 0U);
  EXPECT_EQ(get(carol, g("k")), got);
}

TEST_F(Waiting, W5_of_hand_over_and_leaving_the_first_is_what_happened) {
  get(alice, g("k"));
  get(bob, gw("k"));
  release(alice, exclusive, "k");
  EXPECT_FALSE(leave_line(bob));
  EXPECT_EQ(woken(), Sessions{bob});
  EXPECT_EQ(holders(exclusive, "k"), Sessions{bob});

  get(alice, gw("k"));
  EXPECT_TRUE(leave_line(alice));
  release(bob, exclusive, "k");
  EXPECT_EQ(woken(), Sessions{});
}

TEST_F(Waiting, W5_one_may_wait_again_after_leaving_at_the_end_of_the_line) {
  get(alice, g("k"));
  get(bob, gw("k"));
  get(carol, gw("k"));
  leave_line(bob);
  get(bob, gw("k"));
  EXPECT_EQ(line(exclusive, "k"), (Sessions{carol, bob}));
}

TEST_F(Waiting, W7_a_line_is_no_longer_than_the_bound_and_each_has_its_own) {
  TestTable table({.waiters_max = 2});
  for (const char* key : {"a", "b"}) {
    table.get(alice, g(key));
    table.get(alice, sg(key));
  }
  std::uint64_t id = 10;
  for (const char* key : {"a", "b"}) {
    for (const Get& wait : {gw(key), sgw(1, key)}) {
      EXPECT_EQ(table.get(SessionId{++id}, wait).answer, std::nullopt);
      EXPECT_EQ(table.get(SessionId{++id}, wait).answer, std::nullopt);
      EXPECT_EQ(table.get(SessionId{++id}, wait).answer, Answer{Outcome::too_many_waiters});
    }
  }
  table.release(alice, exclusive, "a");
  EXPECT_EQ(table.get(SessionId{++id}, gw("a")).answer, std::nullopt);
  EXPECT_EQ(table.get(SessionId{++id}, gw("a")).answer, Answer{Outcome::too_many_waiters});
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST_F(Waiting, W8_says_how_many_wait_in_each_kind) {
  EXPECT_EQ(table_.inspect_line(exclusive, hashed("k")), Answer{Outcome::lock_waiters});
  EXPECT_EQ(table_.inspect_line(shared, hashed("k")), Answer{Outcome::shared_waiters});
  get(alice, g("k"));
  get(alice, sg("k"));
  EXPECT_EQ(table_.inspect_line(exclusive, hashed("k")), Answer{Outcome::lock_waiters});
  get(bob, gw("k"));
  get(carol, gw("k"));
  get(dave, sgw(1, "k"));
  EXPECT_EQ(table_.inspect_line(exclusive, hashed("k")), (Answer{Outcome::lock_waiters, 2}));
  EXPECT_EQ(table_.inspect_line(shared, hashed("k")), (Answer{Outcome::shared_waiters, 1}));
}

TEST_F(Waiting, W10_S5_at_the_bound_nobody_waits_but_what_is_held_stays) {
  get(alice, g("k"));
  EXPECT_EQ(get(bob, gw("k"), false), Answer{Outcome::too_many_locks});
  EXPECT_EQ(get(bob, sgw(1, "free"), false), Answer{Outcome::too_many_locks});
  EXPECT_EQ(get(alice, gw("k"), false), got);
}

TEST_F(Waiting, W6_an_exclusive_wait_begins_only_where_it_is_known_to_close_no_circle) {
  get(alice, g("k"));
  get(alice, sg("s"));
  const auto try_of = [&](const Get& get) {
    return table_.LockTable::get(get, table_.hashed_key(get.key), {.session = hashed(bob)}, table_.source, 0);
  };
  const Told undecided = try_of(gw("k"));
  EXPECT_EQ(undecided.answer, std::nullopt);
  EXPECT_EQ(undecided.claim, no_index);
  EXPECT_EQ(line(exclusive, "k"), Sessions{});
  EXPECT_NE(try_of(sgw(1, "s")).claim, no_index);
  EXPECT_EQ(table_.check_invariants(), std::nullopt);
}

TEST_F(Waiting, W6_who_blocks_whom) {
  get(alice, g("k"));
  get(alice, sg("s"));
  get(bob, gw("k"));
  get(carol, sgw(1, "s"));
  EXPECT_EQ(table_.holder(hashed("k")), alice);
  EXPECT_EQ(table_.holder(hashed("s")), SessionId::nobody);
  EXPECT_EQ(table_.blocker(bob, places_[bob]), alice);
  EXPECT_EQ(table_.blocker(carol, places_[carol]), SessionId::nobody);  // a shared line is no edge
  EXPECT_EQ(table_.blocker(carol, places_[bob]), SessionId::nobody);    // another's
  EXPECT_EQ(table_.blocker(bob, 1000), SessionId::nobody);              // of nobody
  release(alice, exclusive, "k");
  EXPECT_EQ(table_.blocker(bob, places_[bob]), SessionId::nobody);  // it holds
  release(bob, exclusive, "k");
  EXPECT_EQ(table_.blocker(bob, places_[bob]), SessionId::nobody);  // it is no more
}

TEST_F(Waiting, C1_fewer_than_the_limit_may_hold_it) {
  EXPECT_EQ(get(alice, sgl(2, "k")), got_shared(1));
  EXPECT_EQ(get(bob, sgl(2, "k")), got_shared(2));
  EXPECT_EQ(get(carol, sgl(2, "k")), Answer{Outcome::shared_get_failure});
  EXPECT_EQ(get(carol, sgl(3, "k")), got_shared(3));
  EXPECT_EQ(get(alice, sgl(1, "k")), got_shared(3));  // it holds it already
  release(bob, shared, "k");
  EXPECT_EQ(get(bob, sgl(2, "k")), Answer{Outcome::shared_get_failure});
  release(carol, shared, "k");
  EXPECT_EQ(get(bob, sgl(2, "k")), got_shared(2));
}

TEST_F(Waiting, C1_nobody_overtakes_a_line_however_large_its_limit) {
  get(alice, sgl(1, "k"));
  get(bob, sgw(1, "k"));
  EXPECT_EQ(get(carol, sgl(2147483647, "k")), Answer{Outcome::shared_get_failure});
  EXPECT_EQ(get(carol, sgw(2147483647, "k")), std::nullopt);
  EXPECT_EQ(line(shared, "k"), (Sessions{bob, carol}));
}

TEST_F(Waiting, H1_C3_sg_heeds_neither_line_nor_limit_and_the_line_waits_for_it_too) {
  get(alice, sgl(1, "k"));
  get(bob, sgw(2, "k"));
  EXPECT_EQ(holders(shared, "k"), (Sessions{alice, bob}));
  get(carol, sgw(2, "k"));
  EXPECT_EQ(get(dave, sg("k")), got_shared(3));
  EXPECT_EQ(get(erin, sg("k")), got_shared(4));
  for (const SessionId leaving : {alice, bob}) {
    release(leaving, shared, "k");
    EXPECT_EQ(woken(), Sessions{});
  }
  release(dave, shared, "k");
  EXPECT_EQ(table_.woken, (Wakeups{{carol, TestTable::home_of(carol), got_shared(2)}}));
}

TEST_F(Waiting, C2_the_first_is_let_through_by_its_own_limit_and_so_on_until_one_stays) {
  get(alice, sgl(1, "k"));
  get(bob, sgw(1, "k"));
  get(carol, sgw(3, "k"));
  get(dave, sgw(3, "k"));
  get(erin, sgw(3, "k"));
  release(alice, shared, "k");
  EXPECT_EQ(table_.woken, (Wakeups{{bob, TestTable::home_of(bob), got_shared(1)},
                                   {carol, TestTable::home_of(carol), got_shared(2)},
                                   {dave, TestTable::home_of(dave), got_shared(3)}}));
  EXPECT_EQ(holders(shared, "k"), (Sessions{bob, carol, dave}));
  EXPECT_EQ(line(shared, "k"), Sessions{erin});
}

TEST_F(Waiting, C2_those_behind_the_first_wait_for_it_even_if_their_own_limit_would_let_them_in) {
  get(alice, sgl(3, "k"));
  get(bob, sgl(3, "k"));
  get(carol, sgw(1, "k"));
  get(dave, sgw(5, "k"));
  release(alice, shared, "k");
  EXPECT_EQ(woken(), Sessions{});
  EXPECT_EQ(line(shared, "k"), (Sessions{carol, dave}));
  release(bob, shared, "k");
  EXPECT_EQ(woken(), (Sessions{carol, dave}));
}

TEST_F(Waiting, W5_C2_when_the_first_leaves_those_behind_it_are_let_through) {
  get(alice, sgl(3, "k"));
  get(bob, sgw(1, "k"));
  get(carol, sgw(2, "k"));
  get(dave, sgw(2, "k"));
  EXPECT_TRUE(leave_line(bob));
  EXPECT_EQ(table_.woken, (Wakeups{{carol, TestTable::home_of(carol), got_shared(2)}}));
  EXPECT_EQ(line(shared, "k"), Sessions{dave});
}

TEST_F(Waiting, W5_C2_when_another_leaves_nobody_is_let_through) {
  get(alice, sgl(3, "k"));
  get(bob, sgw(1, "k"));
  get(carol, sgw(1, "k"));
  get(dave, sgw(9, "k"));
  EXPECT_TRUE(leave_line(carol));
  EXPECT_EQ(woken(), Sessions{});
  EXPECT_EQ(line(shared, "k"), (Sessions{bob, dave}));
}

TEST_F(Waiting, E1_releasing_all_hands_on_and_counts_no_orphan) {
  get(alice, g("a"));
  get(alice, sgl(1, "s"));
  get(alice, g("b"));
  get(bob, gw("a"));
  get(carol, sgw(1, "s"));
  EXPECT_EQ(table_.release_some(alice, 2, Release::asked), 2U);
  EXPECT_EQ(table_.check_invariants(), std::nullopt);
  EXPECT_EQ(table_.release_some(alice, 2, Release::asked), 1U);
  EXPECT_EQ(table_.release_some(alice, 2, Release::asked), 0U);
  EXPECT_EQ(table_.check_invariants(), std::nullopt);
  EXPECT_EQ(holders(exclusive, "a"), Sessions{bob});
  EXPECT_EQ(holders(shared, "s"), Sessions{carol});
  EXPECT_EQ(table_.orphan_count(exclusive) + table_.orphan_count(shared), 0U);
  EXPECT_EQ(table_.held, 2U);
}

TEST_F(Waiting, F3_lines_of_keys_of_equal_hash_are_different_lines) {
  table_.all_hashes_equal = true;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string key = "key" + std::to_string(i);
    get(alice, g(key));
    get(alice, sg(key));
    get(SessionId{100 + i}, gw(key));
    get(SessionId{200 + i}, sgw(1, key));
  }
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string key = "key" + std::to_string(i);
    release(alice, exclusive, key);
    release(alice, shared, key);
    EXPECT_EQ(woken(), (Sessions{SessionId{100 + i}, SessionId{200 + i}}));
  }
}

using WaitingDeathTest = Waiting;

TEST_F(WaitingDeathTest, misuse_aborts_with_a_message) {
  get(alice, g("k"));
  get(alice, g("other"));
  get(bob, gw("k"));
  EXPECT_DEATH(get(bob, gw("other")), "a session waits for one lock at most");
  EXPECT_DEATH(end_some(bob, 1), "who waits releases nothing");
  EXPECT_DEATH(table_.leave_line(carol, places_[bob]), "a session leaves its own place");
  EXPECT_DEATH(get(carol, sgl(0, "k")), "somebody may hold the lock");
  EXPECT_DEATH(TestTable({.waiters_max = 0}), "a line has room for one");
}

}  // namespace
}  // namespace lockd::engine
