// The laws of W: lines, hand-over, leaving, circles, and the order of the checks.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/lock_model.h"
#include "model/test_lock_model.h"

namespace lockd::model {
namespace {

using Sessions = std::vector<SessionId>;

class LockModelWaiting : public testing::Test {
 protected:
  // An event that must neither be answered nor change anything.
  void expect_ignored(const Event& event) {
    const LockModel before = locks_.state();
    EXPECT_EQ(locks_.happens(event), nothing);
    EXPECT_EQ(locks_.state(), before);
  }

  // A refusal: this one reply, and nothing else has changed.
  void expect_refused(const Event& event, const Reply& refusal) {
    const LockModel before = locks_.state();
    EXPECT_EQ(locks_.happens(event), Replies{refusal});
    EXPECT_EQ(locks_.state(), before);
  }

  // Alice holds `k`; bob, carol and dave wait for it in this order.
  void fill_line() {
    locks_.g(alice, "k");
    for (const SessionId session : {bob, carol, dave}) EXPECT_EQ(locks_.gw(session, "k"), nothing);
  }

  // Each session holds a key of its own, and waits for that of the next, but for the last.
  void chain(const Sessions& sessions) {
    for (const SessionId session : sessions) locks_.g(session, own_key(session));
    for (std::size_t i = 0; i + 1 < sessions.size(); ++i) locks_.gw(sessions[i], own_key(sessions[i + 1]));
  }

  static Key own_key(SessionId session) { return "own" + std::to_string(static_cast<int>(session)); }

  Sessions line() const { return locks_.line(exclusive_lock("k")); }

  TestLockModel locks_;
};

SessionAsks gw(SessionId session, const Key& key, std::uint32_t milliseconds = 1000) {
  return {session, Verb::get_wait, key, 0, milliseconds};
}

TEST_F(LockModelWaiting, W1_a_free_key_is_got_at_once) {
  EXPECT_EQ(locks_.gw(alice, "k"), Replies{got(alice, "k")});
  EXPECT_EQ(locks_.state().holder("k"), alice);
  EXPECT_EQ(locks_.state().wait_of(alice), std::nullopt);
}

TEST_F(LockModelWaiting, W1_a_held_key_is_waited_for) {
  locks_.g(alice, "k");
  EXPECT_EQ(locks_.gw(bob, "k"), nothing);
  EXPECT_EQ(locks_.state().holder("k"), alice);
  EXPECT_EQ(locks_.state().wait_of(bob), exclusive_lock("k"));
  EXPECT_EQ(line(), Sessions{bob});
}

TEST_F(LockModelWaiting, W1_0_is_one_real_attempt) {
  EXPECT_EQ(locks_.gw(alice, "k", 0), Replies{got(alice, "k")});
  expect_refused(gw(bob, "k", 0), reply(bob, Outcome::lock_get_timeout, "k"));
}

TEST_F(LockModelWaiting, W1_the_largest_wait_waits) {
  locks_.g(alice, "k");
  EXPECT_EQ(locks_.gw(bob, "k", 2147483647), nothing);
  EXPECT_EQ(line(), Sessions{bob});
}

TEST_F(LockModelWaiting, W2_who_waits_asks_nothing_else) {
  locks_.g(alice, "k");
  locks_.g(bob, "other");
  locks_.gw(bob, "k");
  for (int verb = 0; verb < verb_count; ++verb) {
    expect_ignored(SessionAsks{bob, static_cast<Verb>(verb), "k", 1, 1000});
    expect_ignored(SessionAsks{bob, static_cast<Verb>(verb), "free", 1, 1000});
  }
  expect_ignored(LockReleased{bob, exclusive_lock("other")});
}

TEST_F(LockModelWaiting, W2_a_wait_ends_for_no_other_reason) {
  locks_.g(alice, "k");
  locks_.gw(bob, "k");
  locks_.g(alice, "k");
  locks_.g(carol, "k");
  locks_.r(carol, "k");
  locks_.sg(alice, "k");
  locks_.sr(alice, "k");
  locks_.ends(carol);
  EXPECT_EQ(line(), Sessions{bob});
}

TEST_F(LockModelWaiting, W3_first_come_first_served) {
  fill_line();
  EXPECT_EQ(line(), (Sessions{bob, carol, dave}));
  EXPECT_EQ(locks_.r(alice, "k"), (Replies{released(alice, "k"), got(bob, "k")}));
  EXPECT_EQ(locks_.r(bob, "k"), (Replies{released(bob, "k"), got(carol, "k")}));
  EXPECT_EQ(locks_.gw(alice, "k"), nothing) << "at the end of the line";
  EXPECT_EQ(line(), (Sessions{dave, alice}));
  EXPECT_EQ(locks_.r(carol, "k"), (Replies{released(carol, "k"), got(dave, "k")}));
  EXPECT_EQ(locks_.r(dave, "k"), (Replies{released(dave, "k"), got(alice, "k")}));
  EXPECT_EQ(locks_.r(alice, "k"), Replies{released(alice, "k")});
}

TEST_F(LockModelWaiting, W3_a_plain_get_fails_at_once_with_waiters_or_without) {
  locks_.g(alice, "k");
  expect_refused(SessionAsks{erin, Verb::get, "k"}, reply(erin, Outcome::lock_get_failure, "k"));
  locks_.gw(bob, "k");
  expect_refused(SessionAsks{erin, Verb::get, "k"}, reply(erin, Outcome::lock_get_failure, "k"));
}

TEST_F(LockModelWaiting, W3_each_key_and_kind_has_a_line_of_its_own) {
  for (const Key key : {"k", "kk", ""}) locks_.g(alice, key);
  locks_.sg(alice, "k");
  locks_.gw(bob, "k");
  locks_.gw(carol, "kk");
  locks_.gw(dave, "");
  locks_.sgw(erin, 1, "k");
  EXPECT_EQ(line(), Sessions{bob});
  EXPECT_EQ(locks_.line(exclusive_lock("kk")), Sessions{carol});
  EXPECT_EQ(locks_.line(exclusive_lock("")), Sessions{dave});
  EXPECT_EQ(locks_.line(shared_lock("k")), Sessions{erin});
  EXPECT_EQ(locks_.r(alice, ""), (Replies{released(alice, ""), got(dave, "")}));
  EXPECT_EQ(locks_.sr(alice, "k"), (Replies{unshared(alice, "k"), shared(erin, "k", 1)}));
  EXPECT_EQ(line(), Sessions{bob});
  EXPECT_EQ(locks_.line(exclusive_lock("kk")), Sessions{carol});
}

TEST_F(LockModelWaiting, X2_W4_a_release_hands_the_key_on_in_the_same_step) {
  fill_line();
  EXPECT_EQ(locks_.r(alice, "k"), (Replies{released(alice, "k"), got(bob, "k")}));
  EXPECT_EQ(locks_.state().holder("k"), bob);
  EXPECT_EQ(locks_.state().wait_of(bob), std::nullopt);
  EXPECT_EQ(line(), (Sessions{carol, dave}));
  EXPECT_EQ(locks_.g(alice, "k"), Replies{reply(alice, Outcome::lock_get_failure, "k")});
}

TEST_F(LockModelWaiting, W4_who_was_handed_the_key_can_release_it) {
  fill_line();
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.r(alice, "k"), Replies{reply(alice, Outcome::lock_release_failure, "k")});
  EXPECT_EQ(locks_.r(bob, "k"), (Replies{released(bob, "k"), got(carol, "k")}));
}

TEST_F(LockModelWaiting, S2_W4_the_end_of_the_holder_hands_its_keys_on) {
  fill_line();
  locks_.g(alice, "l");
  locks_.gw(erin, "l");
  auto replies = locks_.ends(alice);
  std::ranges::sort(replies, {}, &Reply::to);
  EXPECT_EQ(replies, (Replies{got(bob, "k"), got(erin, "l")}));
  EXPECT_EQ(locks_.state().orphans.at(LockKind::exclusive), 2U);
  EXPECT_EQ(line(), (Sessions{carol, dave}));
}

TEST_F(LockModelWaiting, S2_W4_an_end_in_slices_hands_each_key_on_in_its_slice) {
  fill_line();
  EXPECT_EQ(locks_.happens(SessionEndBegins{alice}), nothing);
  EXPECT_EQ(line(), (Sessions{bob, carol, dave}));
  EXPECT_EQ(locks_.happens(LockOrphaned{alice, exclusive_lock("k")}), Replies{got(bob, "k")});
}

TEST_F(LockModelWaiting, W4_looks_never_see_a_free_key_with_a_waiter) {
  fill_line();
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.asks(erin, Verb::inspect, "k"), Replies{reply(erin, Outcome::lock_is_locked, "k")});
  EXPECT_EQ(locks_.state().keys_held(LockKind::exclusive), 1U);
}

TEST_F(LockModelWaiting, W5_a_timeout_leaves_the_head_the_middle_and_the_end) {
  for (const SessionId leaver : {bob, carol, dave}) {
    locks_ = TestLockModel{};
    fill_line();
    EXPECT_EQ(locks_.times_out(leaver), Replies{reply(leaver, Outcome::lock_get_timeout, "k")});
    EXPECT_EQ(locks_.state().wait_of(leaver), std::nullopt);
    Sessions others{bob, carol, dave};
    std::erase(others, leaver);
    EXPECT_EQ(line(), others);
    EXPECT_EQ(locks_.r(alice, "k"), (Replies{released(alice, "k"), got(others[0], "k")}));
    EXPECT_EQ(locks_.r(others[0], "k"), (Replies{released(others[0], "k"), got(others[1], "k")}));
    EXPECT_EQ(locks_.r(others[1], "k"), Replies{released(others[1], "k")}) << "the leaver is not served";
  }
}

TEST_F(LockModelWaiting, S2_W5_the_end_of_a_waiter_leaves_the_line) {
  for (const SessionId leaver : {bob, carol, dave}) {
    locks_ = TestLockModel{};
    fill_line();
    EXPECT_EQ(locks_.ends(leaver), nothing);
    Sessions others{bob, carol, dave};
    std::erase(others, leaver);
    EXPECT_EQ(line(), others);
    EXPECT_EQ(locks_.state().orphans.at(LockKind::exclusive), 0U) << "who waits holds nothing";
  }
}

TEST_F(LockModelWaiting, S2_W5_an_end_in_slices_withdraws_the_wait_first) {
  locks_.g(alice, "k");
  locks_.g(bob, "b");
  locks_.gw(bob, "k");
  EXPECT_EQ(locks_.happens(SessionEndBegins{bob}), nothing);
  EXPECT_EQ(line(), Sessions{});
  EXPECT_EQ(locks_.state().holder("b"), bob);
  EXPECT_EQ(locks_.r(alice, "k"), Replies{released(alice, "k")}) << "the dead are granted nothing";
}

TEST_F(LockModelWaiting, W5_of_timeout_and_hand_over_the_first_one_happened) {
  fill_line();
  locks_.r(alice, "k");
  expect_ignored(WaitTimesOut{bob});
  expect_ignored(WaitIsCanceled{bob});
  EXPECT_EQ(locks_.state().holder("k"), bob);
  locks_.times_out(carol);
  expect_ignored(WaitTimesOut{carol});
  EXPECT_EQ(locks_.r(bob, "k"), (Replies{released(bob, "k"), got(dave, "k")}));
}

TEST_F(LockModelWaiting, W5_after_a_timeout_the_session_may_wait_again) {
  fill_line();
  locks_.times_out(bob);
  EXPECT_EQ(locks_.gw(bob, "k"), nothing);
  EXPECT_EQ(line(), (Sessions{carol, dave, bob}));
}

TEST_F(LockModelWaiting, W5_W9_who_does_not_wait_neither_times_out_nor_is_canceled) {
  locks_.g(alice, "k");
  for (const SessionId session : {alice, bob, SessionId{99}, SessionId::nobody}) {
    expect_ignored(WaitTimesOut{session});
    expect_ignored(WaitIsCanceled{session});
  }
}

TEST_F(LockModelWaiting, W6_circles_of_2_3_and_5_are_refused) {
  for (const std::size_t size : {2U, 3U, 5U}) {
    locks_ = TestLockModel{};
    Sessions sessions{alice, bob, carol, dave, erin};
    sessions.resize(size);
    chain(sessions);
    const Key first = own_key(alice);
    expect_refused(gw(sessions.back(), first), reply(sessions.back(), Outcome::lock_get_deadlock, first));
    EXPECT_EQ(locks_.gw(frank, first), nothing) << "whom nobody waits for may wait there";
    EXPECT_EQ(locks_.gw(sessions.back(), "free"), Replies{got(sessions.back(), "free")}) << "nothing else changed";
  }
}

TEST_F(LockModelWaiting, W6_the_whole_chain_counts_and_not_its_ends_alone) {
  chain({alice, bob, carol, dave});
  for (const SessionId ahead : {alice, bob, carol}) {
    expect_refused(gw(dave, own_key(ahead)), reply(dave, Outcome::lock_get_deadlock, own_key(ahead)));
  }
}

TEST_F(LockModelWaiting, W6_a_waiter_behind_others_waits_for_the_holder) {
  locks_.g(alice, "k");
  locks_.g(carol, "c");
  locks_.gw(bob, "k");
  locks_.gw(carol, "k");  // behind bob, who holds nothing
  expect_refused(gw(alice, "c"), reply(alice, Outcome::lock_get_deadlock, "c"));
  EXPECT_EQ(locks_.gw(dave, "c"), nothing);
}

// Bob is ahead of carol in the line, but it is alice's release alone that a waiter waits for.
TEST_F(LockModelWaiting, W6_no_circle_is_imagined) {
  locks_.g(alice, "k");
  locks_.g(carol, "c");
  locks_.gw(carol, "k");
  EXPECT_EQ(locks_.gw(bob, "c"), nothing);
  EXPECT_EQ(locks_.gw(dave, "k"), nothing);
}

TEST_F(LockModelWaiting, W6_the_circle_is_gone_when_a_wait_has_ended) {
  for (const bool by_timeout : {true, false}) {
    locks_ = TestLockModel{};
    chain({alice, bob});
    if (by_timeout) {
      locks_.times_out(alice);
    } else {
      locks_.is_canceled(alice);
    }
    EXPECT_EQ(locks_.gw(bob, own_key(alice)), nothing);
  }
}

TEST_F(LockModelWaiting, W6_after_a_hand_over_the_line_waits_for_the_new_holder) {
  locks_.g(alice, "k");
  locks_.g(carol, "c");
  locks_.gw(bob, "k");
  locks_.gw(carol, "k");
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.gw(alice, "c"), nothing) << "carol waits for bob now";
  expect_refused(gw(bob, "c"), reply(bob, Outcome::lock_get_deadlock, "c"));
}

TEST_F(LockModelWaiting, W6_a_wait_in_a_shared_line_is_none) {
  locks_.g(alice, "a");
  locks_.sg(bob, "s");
  EXPECT_EQ(locks_.sgw(alice, 1, "s"), nothing);
  EXPECT_EQ(locks_.gw(bob, "a"), nothing) << "alice's wait is for a shared lock";
}

TEST_F(LockModelWaiting, W6_a_shared_wait_is_never_refused_for_a_circle) {
  locks_.g(alice, "a");
  locks_.sg(bob, "a");
  locks_.g(bob, "b");
  locks_.gw(bob, "a");
  EXPECT_EQ(locks_.sgw(alice, 1, "a"), nothing) << "bob waits for alice, who waits for bob";
}

TEST_F(LockModelWaiting, W6_one_that_is_ending_waits_for_nothing) {
  chain({alice, bob});
  locks_.happens(SessionEndBegins{alice});
  EXPECT_EQ(locks_.gw(bob, own_key(alice)), nothing);
}

TEST_F(LockModelWaiting, W7_bounds_each_line) {
  locks_ = TestLockModel{{.max_waiters = 2}};
  for (const Key key : {"k", "l"}) locks_.g(alice, key);
  locks_.sg(alice, "k");
  EXPECT_EQ(locks_.gw(bob, "k"), nothing);
  EXPECT_EQ(locks_.gw(carol, "k"), nothing);
  expect_refused(gw(dave, "k"), reply(dave, Outcome::too_many_waiters, "k"));
  EXPECT_EQ(locks_.gw(dave, "l"), nothing) << "another key";
  EXPECT_EQ(locks_.sgw(erin, 1, "k"), nothing) << "another kind";
  EXPECT_EQ(locks_.sgw(frank, 1, "k"), nothing);
}

TEST_F(LockModelWaiting, W7_bounds_shared_lines_too) {
  locks_ = TestLockModel{{.max_waiters = 1}};
  locks_.sg(alice, "k");
  EXPECT_EQ(locks_.sgw(bob, 1, "k"), nothing);
  expect_refused(SessionAsks{carol, Verb::get_limited_wait, "k", 1, 1000},
                 reply(carol, Outcome::too_many_waiters, "k"));
}

TEST_F(LockModelWaiting, W7_room_is_made_by_whoever_leaves) {
  locks_ = TestLockModel{{.max_waiters = 1}};
  locks_.g(alice, "k");
  locks_.gw(bob, "k");
  locks_.times_out(bob);
  EXPECT_EQ(locks_.gw(carol, "k"), nothing);
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.gw(dave, "k"), nothing);
}

TEST_F(LockModelWaiting, W8_counts_the_line_whoever_asks) {
  EXPECT_EQ(locks_.asks(erin, Verb::inspect_line, "k"), Replies{reply(erin, Outcome::lock_waiters, "k", 0)});
  fill_line();
  locks_.sg(alice, "k");
  locks_.sgw(frank, 1, "k");
  EXPECT_EQ(locks_.asks(erin, Verb::inspect_line, "k"), Replies{reply(erin, Outcome::lock_waiters, "k", 3)});
  EXPECT_EQ(locks_.asks(alice, Verb::inspect_line, "k"), Replies{reply(alice, Outcome::lock_waiters, "k", 3)});
  EXPECT_EQ(locks_.asks(erin, Verb::inspect_shared_line, "k"), Replies{reply(erin, Outcome::shared_waiters, "k", 1)});
  EXPECT_EQ(locks_.asks(erin, Verb::inspect_line, "kk"), Replies{reply(erin, Outcome::lock_waiters, "kk", 0)});
  EXPECT_EQ(locks_.state().waiters(), 4U);
}

TEST_F(LockModelWaiting, W9_a_canceled_waiter_leaves_the_line) {
  fill_line();
  EXPECT_EQ(locks_.is_canceled(carol), Replies{reply(carol, Outcome::lock_get_canceled, "k")});
  EXPECT_EQ(line(), (Sessions{bob, dave}));
  expect_ignored(WaitIsCanceled{carol});
}

// W10, pairwise: of two neighbours that both apply, the earlier one answers.
class LockModelOrder : public LockModelWaiting {};

TEST_F(LockModelOrder, W10_already_held_comes_before_S5_and_the_line) {
  locks_ = TestLockModel{{.max_locks = 2}};
  locks_.g(alice, "k");
  locks_.sg(alice, "k");
  locks_.gw(bob, "k");
  locks_.sgw(bob, 1, "k");
  EXPECT_EQ(locks_.gw(alice, "k"), Replies{got(alice, "k")});
  EXPECT_EQ(locks_.gw(alice, "k", 0), Replies{got(alice, "k")});
  EXPECT_EQ(locks_.sgw(alice, 1, "k"), Replies{shared(alice, "k", 1)});
  EXPECT_EQ(locks_.sgl(alice, 1, "k"), Replies{shared(alice, "k", 1)});
}

TEST_F(LockModelOrder, W10_S5_comes_before_a_grant) {
  locks_ = TestLockModel{{.max_locks = 1}};
  locks_.g(alice, "a");
  expect_refused(gw(alice, "free"), reply(alice, Outcome::too_many_locks, "free"));
  for (const Verb verb : {Verb::get_shared, Verb::get_limited, Verb::get_limited_wait}) {
    expect_refused(SessionAsks{alice, verb, "free", 1, 5}, reply(alice, Outcome::too_many_locks, "free"));
  }
}

TEST_F(LockModelOrder, W10_S5_comes_before_the_timeout_and_C1s_failure) {
  locks_ = TestLockModel{{.max_locks = 1}};
  for (const SessionId session : {alice, bob}) locks_.g(session, own_key(session));
  locks_.sg(carol, "s");
  expect_refused(gw(alice, own_key(bob), 0), reply(alice, Outcome::too_many_locks, own_key(bob)));
  expect_refused(SessionAsks{alice, Verb::get_limited_wait, "s", 1, 0}, reply(alice, Outcome::too_many_locks, "s"));
  expect_refused(SessionAsks{alice, Verb::get_limited, "s", 1}, reply(alice, Outcome::too_many_locks, "s"));
}

TEST_F(LockModelOrder, W10_a_grant_comes_before_the_timeout) {
  EXPECT_EQ(locks_.gw(alice, "k", 0), Replies{got(alice, "k")});
  EXPECT_EQ(locks_.sgw(alice, 1, "k", 0), Replies{shared(alice, "k", 1)});
}

TEST_F(LockModelOrder, W10_the_timeout_of_0_comes_before_W6) {
  chain({alice, bob});
  expect_refused(gw(bob, own_key(alice), 0), reply(bob, Outcome::lock_get_timeout, own_key(alice)));
}

TEST_F(LockModelOrder, W10_the_timeout_of_0_and_C1s_failure_come_before_W7) {
  locks_ = TestLockModel{{.max_waiters = 1}};
  locks_.g(alice, "k");
  locks_.sg(alice, "k");
  locks_.gw(bob, "k");
  locks_.sgw(carol, 1, "k");
  expect_refused(gw(dave, "k", 0), reply(dave, Outcome::lock_get_timeout, "k"));
  expect_refused(SessionAsks{dave, Verb::get_limited_wait, "k", 1, 0}, reply(dave, Outcome::shared_get_timeout, "k"));
  expect_refused(SessionAsks{dave, Verb::get_limited, "k", 1}, reply(dave, Outcome::shared_get_failure, "k"));
}

TEST_F(LockModelOrder, W10_W6_comes_before_W7) {
  locks_ = TestLockModel{{.max_waiters = 1}};
  chain({alice, bob});
  locks_.gw(carol, own_key(alice));
  expect_refused(gw(bob, own_key(alice)), reply(bob, Outcome::lock_get_deadlock, own_key(alice)));
}

TEST_F(LockModelOrder, W10_S5_comes_before_W6_and_W7) {
  locks_ = TestLockModel{{.max_locks = 1, .max_waiters = 1}};
  chain({alice, bob});
  locks_.gw(carol, own_key(alice));
  expect_refused(gw(bob, own_key(alice)), reply(bob, Outcome::too_many_locks, own_key(alice)));
}

TEST_F(LockModelWaiting, S5_who_was_handed_a_lock_has_it_counted) {
  locks_ = TestLockModel{{.max_locks = 1}};
  locks_.g(alice, "k");
  EXPECT_EQ(locks_.gw(bob, "k"), nothing);
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.g(bob, "l"), Replies{reply(bob, Outcome::too_many_locks, "l")});
}

TEST_F(LockModelWaiting, S6_the_end_of_all_grants_nothing) {
  fill_line();
  locks_.sg(alice, "s");
  locks_.sgw(erin, 1, "s");
  const auto grants = locks_.state().grants;
  EXPECT_EQ(locks_.happens(ServerStops{}), nothing);
  EXPECT_EQ(locks_.state().grants, grants);
  EXPECT_TRUE(locks_.state().locks.empty());
  EXPECT_TRUE(locks_.state().live.empty());
  expect_ignored(SessionBegins{alice});
}

}  // namespace
}  // namespace lockd::model
