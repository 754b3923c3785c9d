// The laws of C, T and E1, running out of tokens, and that violations() sees what waiting can break.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/lock_model.h"
#include "model/test_lock_model.h"

namespace lockd::model {
namespace {

using Sessions = std::vector<SessionId>;

Reply refused(SessionId to, const Key& key) { return reply(to, Outcome::shared_get_failure, key); }

class LockModelLimits : public testing::Test {
 protected:
  // A refusal: this one reply, and nothing else has changed.
  void expect_refused(const Event& event, const Reply& refusal) {
    const LockModel before = locks_.state();
    EXPECT_EQ(locks_.happens(event), Replies{refusal});
    EXPECT_EQ(locks_.state(), before);
  }

  void expect_ignored(const Event& event) {
    const LockModel before = locks_.state();
    EXPECT_EQ(locks_.happens(event), nothing);
    EXPECT_EQ(locks_.state(), before);
  }

  std::uint64_t token(SessionId session, Verb verb, const Key& key) {
    return locks_.asks(session, verb, key).at(0).answer.number;
  }

  Sessions holders() const { return locks_.holders(shared_lock("k")); }
  Sessions line() const { return locks_.line(shared_lock("k")); }

  TestLockModel locks_;
};

TEST_F(LockModelLimits, C1_as_many_as_the_limit_hold) {
  EXPECT_EQ(locks_.sgl(alice, 2, "k"), Replies{shared(alice, "k", 1)});
  EXPECT_EQ(locks_.sgl(bob, 2, "k"), Replies{shared(bob, "k", 2)});
  expect_refused(SessionAsks{carol, Verb::get_limited, "k", 2}, refused(carol, "k"));
  EXPECT_EQ(locks_.sgl(carol, 3, "k"), Replies{shared(carol, "k", 3)}) << "the limit is the request's own";
  expect_refused(SessionAsks{dave, Verb::get_limited, "k", 1}, refused(dave, "k"));
  EXPECT_EQ(locks_.sgl(dave, 2147483647, "k"), Replies{shared(dave, "k", 4)});
}

TEST_F(LockModelLimits, C1_who_holds_it_gets_it_again_whatever_the_limit) {
  for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
  locks_.sgw(carol, 1, "k");
  const LockModel before = locks_.state();
  EXPECT_EQ(locks_.sgl(alice, 1, "k"), Replies{shared(alice, "k", 2)});
  EXPECT_EQ(locks_.sgw(bob, 1, "k"), Replies{shared(bob, "k", 2)});
  EXPECT_EQ(locks_.sg(bob, "k"), Replies{shared(bob, "k", 2)});
  EXPECT_EQ(locks_.state(), before);
}

TEST_F(LockModelLimits, C1_nobody_overtakes_the_line) {
  locks_.sg(alice, "k");
  locks_.sgw(bob, 1, "k");
  expect_refused(SessionAsks{carol, Verb::get_limited, "k", 9}, refused(carol, "k"));
}

TEST_F(LockModelLimits, C1_room_is_made_by_a_release) {
  locks_.sgl(alice, 1, "k");
  locks_.sr(alice, "k");
  EXPECT_EQ(locks_.sgl(bob, 1, "k"), Replies{shared(bob, "k", 1)});
}

TEST_F(LockModelLimits, H_C1_an_exclusive_lock_counts_nowhere) {
  locks_.g(alice, "k");
  locks_.gw(bob, "k");
  EXPECT_EQ(locks_.sgl(carol, 1, "k"), Replies{shared(carol, "k", 1)});
  locks_.r(alice, "k");
  EXPECT_EQ(locks_.gw(alice, "k"), nothing);
  EXPECT_EQ(holders(), Sessions{carol});
}

TEST_F(LockModelLimits, C2_gets_at_once_or_waits_or_times_out) {
  EXPECT_EQ(locks_.sgw(alice, 1, "k"), Replies{shared(alice, "k", 1)});
  EXPECT_EQ(locks_.sgw(bob, 2, "k"), Replies{shared(bob, "k", 2)});
  EXPECT_EQ(locks_.sgw(carol, 2, "k"), nothing);
  EXPECT_EQ(locks_.state().wait_of(carol), shared_lock("k"));
  expect_refused(SessionAsks{dave, Verb::get_limited_wait, "k", 9, 0}, reply(dave, Outcome::shared_get_timeout, "k"));
  EXPECT_EQ(locks_.times_out(carol), Replies{reply(carol, Outcome::shared_get_timeout, "k")});
  EXPECT_EQ(locks_.sgw(dave, 3, "k", 0), Replies{shared(dave, "k", 3)});
}

TEST_F(LockModelLimits, C2_a_newcomer_stands_behind_the_line_however_large_its_limit) {
  locks_.sg(alice, "k");
  locks_.sgw(bob, 1, "k");
  EXPECT_EQ(locks_.sgw(carol, 9, "k"), nothing);
  EXPECT_EQ(line(), (Sessions{bob, carol}));
}

TEST_F(LockModelLimits, C2_one_release_lets_through_as_many_as_have_room) {
  for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
  locks_.sgw(carol, 2, "k");
  locks_.sgw(dave, 3, "k");
  locks_.sgw(erin, 3, "k");
  EXPECT_EQ(locks_.sr(alice, "k"), (Replies{unshared(alice, "k"), shared(carol, "k", 2), shared(dave, "k", 3)}));
  EXPECT_EQ(holders(), (Sessions{bob, carol, dave}));
  EXPECT_EQ(line(), Sessions{erin});
}

TEST_F(LockModelLimits, C2_those_behind_the_first_wait_for_it) {
  for (const SessionId session : {alice, bob, carol}) locks_.sg(session, "k");
  locks_.sgw(dave, 1, "k");
  locks_.sgw(erin, 9, "k");
  EXPECT_EQ(locks_.sr(alice, "k"), Replies{unshared(alice, "k")}) << "room for erin, who is not the first";
  EXPECT_EQ(locks_.sr(bob, "k"), Replies{unshared(bob, "k")});
  EXPECT_EQ(locks_.sr(carol, "k"), (Replies{unshared(carol, "k"), shared(dave, "k", 1), shared(erin, "k", 2)}));
}

TEST_F(LockModelLimits, C2_the_limit_is_each_waiters_own) {
  for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
  locks_.sgw(carol, 2, "k");
  locks_.sgw(dave, 1, "k");
  EXPECT_EQ(locks_.sr(alice, "k"), (Replies{unshared(alice, "k"), shared(carol, "k", 2)}));
  EXPECT_EQ(locks_.sr(bob, "k"), Replies{unshared(bob, "k")}) << "carol holds it still, and dave's limit is 1";
  EXPECT_EQ(locks_.sr(carol, "k"), (Replies{unshared(carol, "k"), shared(dave, "k", 1)}));
}

TEST_F(LockModelLimits, W5_C2_who_leaves_the_head_lets_others_through) {
  enum class Way { timeout, cancel, end };
  for (const Way way : {Way::timeout, Way::cancel, Way::end}) {
    locks_ = TestLockModel{};
    for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
    locks_.sgw(carol, 1, "k");
    locks_.sgw(dave, 3, "k");
    locks_.sgw(erin, 4, "k");
    locks_.sgw(frank, 4, "k");
    Replies expected{shared(dave, "k", 3), shared(erin, "k", 4)};
    if (way == Way::timeout) {
      expected.insert(expected.begin(), reply(carol, Outcome::shared_get_timeout, "k"));
      EXPECT_EQ(locks_.times_out(carol), expected);
    } else if (way == Way::cancel) {
      expected.insert(expected.begin(), reply(carol, Outcome::shared_get_canceled, "k"));
      EXPECT_EQ(locks_.is_canceled(carol), expected);
    } else {
      EXPECT_EQ(locks_.ends(carol), expected);
    }
    EXPECT_EQ(holders(), (Sessions{alice, bob, dave, erin}));
    EXPECT_EQ(line(), Sessions{frank});
  }
}

TEST_F(LockModelLimits, W5_C2_who_leaves_from_the_middle_lets_nobody_through) {
  for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
  locks_.sgw(carol, 1, "k");
  locks_.sgw(dave, 9, "k");
  locks_.sgw(erin, 9, "k");
  EXPECT_EQ(locks_.times_out(dave), Replies{reply(dave, Outcome::shared_get_timeout, "k")});
  EXPECT_EQ(line(), (Sessions{carol, erin}));
}

TEST_F(LockModelLimits, S2_W4_the_end_of_a_holder_lets_through) {
  for (const SessionId session : {alice, bob}) locks_.sg(session, "k");
  locks_.sgw(carol, 2, "k");
  EXPECT_EQ(locks_.ends(bob), Replies{shared(carol, "k", 2)});
  EXPECT_EQ(holders(), (Sessions{alice, carol}));
}

TEST_F(LockModelLimits, H1_C3_a_plain_get_heeds_neither_line_nor_limit) {
  locks_.sgl(alice, 1, "k");
  locks_.sgw(bob, 1, "k");
  EXPECT_EQ(locks_.sg(carol, "k"), Replies{shared(carol, "k", 2)});
  EXPECT_EQ(line(), Sessions{bob});
  EXPECT_EQ(locks_.sr(alice, "k"), Replies{unshared(alice, "k")}) << "carol is one too many for bob";
  EXPECT_EQ(locks_.sr(carol, "k"), (Replies{unshared(carol, "k"), shared(bob, "k", 1)}));
}

TEST_F(LockModelLimits, H1_C3_any_number_of_sessions_hold_it) {
  for (std::uint64_t session = 101; session <= 400; ++session) {
    locks_.happens(SessionBegins{SessionId{session}});
    EXPECT_EQ(locks_.sg(SessionId{session}, "k"), Replies{shared(SessionId{session}, "k", session - 100)});
  }
}

TEST_F(LockModelLimits, W1_C1_numbers_that_a_verb_does_not_take_mean_nothing) {
  locks_.g(alice, "k");
  locks_.sg(alice, "k");
  expect_refused(SessionAsks{bob, Verb::get, "k", 9, 1000}, reply(bob, Outcome::lock_get_failure, "k"));
  expect_refused(SessionAsks{bob, Verb::get_limited, "k", 1, 1000}, refused(bob, "k"));
  EXPECT_EQ(locks_.happens(SessionAsks{bob, Verb::get_wait, "k", 9, 1000}), nothing)
      << "one holder, whatever the limit";
  EXPECT_EQ(locks_.happens(SessionAsks{carol, Verb::get_shared, "k", 1, 1000}), Replies{shared(carol, "k", 2)});
}

TEST_F(LockModelLimits, S5_bounds_limited_gets_too) {
  locks_ = TestLockModel{{.max_locks = 1}};
  locks_.sgl(alice, 5, "k");
  expect_refused(SessionAsks{alice, Verb::get_limited, "l", 5}, reply(alice, Outcome::too_many_locks, "l"));
  expect_refused(SessionAsks{alice, Verb::get_limited_wait, "l", 5, 5}, reply(alice, Outcome::too_many_locks, "l"));
  EXPECT_EQ(locks_.sgl(alice, 5, "k"), Replies{shared(alice, "k", 1)});
}

TEST_F(LockModelLimits, T1_T2_each_grant_has_a_larger_token) {
  locks_.g(alice, "k");
  locks_.sg(alice, "k");
  locks_.sgl(bob, 9, "k");
  locks_.gw(bob, "k");
  locks_.r(alice, "k");  // passes k on to bob
  locks_.g(alice, "l");
  const std::vector<std::uint64_t> tokens{token(alice, Verb::token_shared, "k"), token(bob, Verb::token_shared, "k"),
                                          token(bob, Verb::token, "k"), token(alice, Verb::token, "l")};
  EXPECT_EQ(tokens, (std::vector<std::uint64_t>{2, 3, 4, 5}));
  EXPECT_EQ(locks_.state().grants, 5U);
}

TEST_F(LockModelLimits, T1_getting_again_keeps_the_token_and_releasing_does_not) {
  locks_.g(alice, "k");
  locks_.g(alice, "k");
  locks_.gw(alice, "k");
  EXPECT_EQ(token(alice, Verb::token, "k"), 1U);
  locks_.r(alice, "k");
  locks_.g(alice, "k");
  EXPECT_EQ(token(alice, Verb::token, "k"), 2U);
}

TEST_F(LockModelLimits, T1_a_refusal_takes_no_token) {
  locks_.g(alice, "k");
  locks_.g(bob, "k");
  locks_.gw(bob, "k", 0);
  locks_.gw(bob, "k");
  locks_.times_out(bob);
  EXPECT_EQ(locks_.state().grants, 1U);
}

TEST_F(LockModelLimits, T2_ones_own_token_and_nobody_elses) {
  locks_.g(alice, "k");
  locks_.gw(bob, "k");
  EXPECT_EQ(locks_.asks(alice, Verb::token, "k"), Replies{reply(alice, Outcome::lock_token, "k", 1)});
  EXPECT_EQ(locks_.asks(alice, Verb::token_shared, "k"), Replies{reply(alice, Outcome::shared_not_held, "k")});
  EXPECT_EQ(locks_.asks(carol, Verb::token, "k"), Replies{reply(carol, Outcome::lock_not_held, "k")});
  EXPECT_EQ(locks_.asks(carol, Verb::token, "free"), Replies{reply(carol, Outcome::lock_not_held, "free")});
  locks_.sg(dave, "k");
  locks_.sg(alice, "k");
  EXPECT_EQ(locks_.asks(dave, Verb::token_shared, "k"), Replies{reply(dave, Outcome::shared_token, "k", 2)});
  EXPECT_EQ(locks_.asks(alice, Verb::token_shared, "k"), Replies{reply(alice, Outcome::shared_token, "k", 3)});
  EXPECT_EQ(locks_.asks(carol, Verb::token_shared, "k"), Replies{reply(carol, Outcome::shared_not_held, "k")});
  EXPECT_EQ(locks_.asks(dave, Verb::token, "k"), Replies{reply(dave, Outcome::lock_not_held, "k")});
}

TEST_F(LockModelLimits, T1_out_of_tokens) {
  locks_ = TestLockModel{{.max_grants = 2}};
  EXPECT_EQ(locks_.g(alice, "a"), Replies{got(alice, "a")});
  EXPECT_EQ(locks_.sg(alice, "a"), Replies{shared(alice, "a", 1)});
  for (const Verb verb : {Verb::get, Verb::get_wait, Verb::get_shared, Verb::get_limited, Verb::get_limited_wait}) {
    expect_refused(SessionAsks{bob, verb, "b", 1, 9}, reply(bob, Outcome::out_of_tokens, "b"));
  }
  EXPECT_EQ(locks_.g(alice, "a"), Replies{got(alice, "a")}) << "got again, it needs none";
  locks_.r(alice, "a");
  EXPECT_EQ(locks_.g(alice, "a"), Replies{reply(alice, Outcome::out_of_tokens, "a")}) << "none comes back";
}

TEST_F(LockModelLimits, T1_W4_who_waits_has_a_token_set_aside) {
  locks_ = TestLockModel{{.max_grants = 2}};
  locks_.g(alice, "k");
  EXPECT_EQ(locks_.gw(bob, "k"), nothing);
  expect_refused(SessionAsks{carol, Verb::get_wait, "k", 0, 9}, reply(carol, Outcome::out_of_tokens, "k"));
  expect_refused(SessionAsks{carol, Verb::get, "free"}, reply(carol, Outcome::out_of_tokens, "free"));
  EXPECT_EQ(locks_.r(alice, "k"), (Replies{released(alice, "k"), got(bob, "k")}));
}

TEST_F(LockModelLimits, T1_W5_who_leaves_gives_its_token_back) {
  locks_ = TestLockModel{{.max_grants = 2}};
  locks_.g(alice, "k");
  locks_.gw(bob, "k");
  locks_.times_out(bob);
  EXPECT_EQ(locks_.g(carol, "l"), Replies{got(carol, "l")});
}

TEST_F(LockModelLimits, T1_W10_every_other_refusal_comes_before_the_tokens) {
  locks_ = TestLockModel{{.max_locks = 1, .max_grants = 2}};
  locks_.g(alice, "a");
  locks_.g(bob, "b");
  locks_.g(alice, "c");
  EXPECT_EQ(locks_.g(alice, "c"), Replies{reply(alice, Outcome::too_many_locks, "c")});
  EXPECT_EQ(locks_.g(carol, "a"), Replies{reply(carol, Outcome::lock_get_failure, "a")});
  EXPECT_EQ(locks_.gw(carol, "a", 0), Replies{reply(carol, Outcome::lock_get_timeout, "a")});
  EXPECT_EQ(locks_.gw(carol, "a"), Replies{reply(carol, Outcome::out_of_tokens, "a")});
  locks_ = TestLockModel{{.max_waiters = 1, .max_grants = 3}};
  locks_.g(alice, "a");
  locks_.g(bob, "b");
  locks_.gw(alice, "b");
  EXPECT_EQ(locks_.gw(bob, "a"), Replies{reply(bob, Outcome::lock_get_deadlock, "a")});
  EXPECT_EQ(locks_.gw(carol, "b"), Replies{reply(carol, Outcome::too_many_waiters, "b")});
  EXPECT_EQ(locks_.gw(carol, "a"), Replies{reply(carol, Outcome::out_of_tokens, "a")});
}

TEST_F(LockModelLimits, E1_releases_all_of_both_kinds_and_nothing_of_others) {
  locks_.g(alice, "a");
  locks_.g(alice, "b");
  for (const SessionId session : {alice, bob}) locks_.sg(session, "b");
  locks_.g(bob, "c");
  EXPECT_EQ(locks_.asks(alice, Verb::release_all, ""), Replies{reply(alice, Outcome::locks_released, "", 3)});
  EXPECT_EQ(locks_.state().locks_of(alice), std::vector<Lock>{});
  EXPECT_EQ(locks_.state().locks_of(bob), (std::vector<Lock>{exclusive_lock("c"), shared_lock("b")}));
  EXPECT_EQ(locks_.state().orphans.at(LockKind::exclusive), 0U);
  EXPECT_EQ(locks_.state().orphans.at(LockKind::shared), 0U);
  EXPECT_EQ(locks_.asks(alice, Verb::release_all, ""), Replies{reply(alice, Outcome::locks_released, "", 0)});
}

TEST_F(LockModelLimits, E1_W4_hands_each_key_on) {
  locks_.g(alice, "a");
  locks_.sg(alice, "s");
  locks_.gw(bob, "a");
  locks_.sgw(carol, 1, "s");
  locks_.sgw(dave, 2, "s");
  const auto replies = locks_.asks(alice, Verb::release_all, "");
  ASSERT_EQ(replies.size(), 4U);
  EXPECT_EQ(replies.front(), reply(alice, Outcome::locks_released, "", 2));
  EXPECT_EQ(std::ranges::count(replies, got(bob, "a")), 1);
  EXPECT_EQ(std::ranges::count(replies, shared(carol, "s", 1)), 1);
  EXPECT_EQ(std::ranges::count(replies, shared(dave, "s", 2)), 1);
}

TEST_F(LockModelLimits, E1_slices_come_to_the_same_as_one_step) {
  locks_.g(alice, "a");
  locks_.sg(alice, "s");
  locks_.gw(bob, "a");
  const LockModel at_once = step(locks_.state(), SessionAsks{alice, Verb::release_all, ""}).state;
  EXPECT_EQ(locks_.happens(LockReleased{alice, exclusive_lock("a")}), Replies{got(bob, "a")});
  EXPECT_NE(locks_.state(), at_once);
  EXPECT_EQ(locks_.happens(LockReleased{alice, shared_lock("s")}), nothing);
  EXPECT_EQ(locks_.state(), at_once);
}

TEST_F(LockModelLimits, E1_a_slice_releases_what_a_live_session_holds) {
  locks_.g(alice, "a");
  expect_ignored(LockReleased{bob, exclusive_lock("a")});
  expect_ignored(LockReleased{alice, shared_lock("a")});
  expect_ignored(LockReleased{alice, exclusive_lock("free")});
  locks_.happens(SessionEndBegins{alice});
  expect_ignored(LockReleased{alice, exclusive_lock("a")});
}

// Canaries. A sound state: alice holds x and s, bob waits for x, carol for s; each test breaks it in one way.
class LockModelCanaries : public testing::Test {
 protected:
  void SetUp() override {
    locks_.g(alice, "k");
    locks_.sg(alice, "k");
    locks_.gw(bob, "k");
    locks_.sgw(carol, 1, "k");
    state_ = locks_.state();
  }

  LockState& exclusive() { return state_.locks.at(exclusive_lock("k")); }
  LockState& shared_state() { return state_.locks.at(shared_lock("k")); }

  // The breach of the law of this clause is reported, and no other.
  void expect_broken(const std::string& clauses) const {
    const auto found = state_.violations();
    ASSERT_EQ(found.size(), 1U) << testing::PrintToString(found);
    EXPECT_TRUE(found.front().starts_with(clauses + ": ")) << found.front();
  }

  TestLockModel locks_;
  LockModel state_;
};

TEST_F(LockModelCanaries, W_T_nothing_is_broken_at_first) {
  EXPECT_EQ(state_.violations(), std::vector<std::string>{});
}

TEST_F(LockModelCanaries, W4_a_free_key_with_a_waiter) {
  shared_state().holders.clear();
  EXPECT_EQ(state_.violations().size(), 2U) << "it is in the table, and the waiter is not let in";
}

TEST_F(LockModelCanaries, C2_a_waiter_that_could_be_let_through) {
  shared_state().line.front().limit = 2;
  expect_broken("W4");
}

TEST_F(LockModelCanaries, C1_a_limit_that_lets_nobody_in) {
  shared_state().line.front().limit = 0;
  expect_broken("W1, C1");
}

TEST_F(LockModelCanaries, W1_an_exclusive_wait_with_another_limit) {
  exclusive().line.push_back({dave, 2});
  expect_broken("W1, C1");
}

TEST_F(LockModelCanaries, W2_one_session_in_two_lines) {
  exclusive().line.push_back({carol, 1});
  expect_broken("W2");
}

TEST_F(LockModelCanaries, W10_a_holder_in_line) {
  shared_state().line.push_back({alice, 1});
  expect_broken("W10");
}

TEST_F(LockModelCanaries, S2_a_dead_waiter) {
  state_.live.erase(bob);
  state_.ended.insert(bob);
  expect_broken("S2");
}

TEST_F(LockModelCanaries, W6_circles_of_2_and_3) {
  for (const std::size_t size : {2U, 3U}) {
    SetUp();
    const Sessions circle = size == 2 ? Sessions{dave, erin} : Sessions{dave, erin, frank};
    for (std::size_t i = 0; i < size; ++i) {
      state_.locks[exclusive_lock("c" + std::to_string(i))] = {.holders = {{circle[i], ++state_.grants}},
                                                               .line = {{circle[(i + 1) % size], 1}}};
    }
    EXPECT_EQ(state_.violations(), std::vector<std::string>(size, "W6: nobody waits for himself"));
  }
}

TEST_F(LockModelCanaries, W6_a_long_chain_is_no_circle) {
  locks_ = TestLockModel{};
  for (const SessionId session : {alice, bob, carol, dave, erin, frank}) {
    locks_.g(session, std::to_string(static_cast<int>(session)));
  }
  for (int waiter = 1; waiter < 6; ++waiter) {
    EXPECT_EQ(locks_.gw(SessionId(waiter), std::to_string(waiter + 1)), nothing);
  }
  EXPECT_EQ(locks_.state().violations(), std::vector<std::string>{});
}

TEST_F(LockModelCanaries, W7_a_line_beyond_the_bound) {
  exclusive().line.push_back({dave, 1});
  state_.max_waiters = 1;
  expect_broken("W7");
}

TEST_F(LockModelCanaries, S5_a_waiter_without_room) {
  state_.locks[exclusive_lock("b")] = {.holders = {{bob, ++state_.grants}}, .line = {}};
  state_.max_locks = 2;
  EXPECT_EQ(state_.violations(), std::vector<std::string>{});
  state_.locks[exclusive_lock("bb")] = {.holders = {{bob, ++state_.grants}}, .line = {}};
  expect_broken("S5");
}

TEST_F(LockModelCanaries, T1_tokens_of_no_grant_falling_or_given_twice) {
  state_.grants = 9;
  shared_state().holders.push_back({dave, 10});
  expect_broken("T1");
  shared_state().holders.back().token = 0;
  expect_broken("T1");
  shared_state().holders.back().token = 9;
  EXPECT_EQ(state_.violations(), std::vector<std::string>{});
  std::swap(shared_state().holders.front(), shared_state().holders.back());
  expect_broken("T1");
  shared_state().holders = {{dave, 1}};
  expect_broken("T1");
}

TEST_F(LockModelCanaries, T1_more_tokens_promised_than_there_are) {
  state_.max_grants = state_.grants + 2;
  EXPECT_EQ(state_.violations(), std::vector<std::string>{});
  --state_.max_grants;
  expect_broken("T1");
}

}  // namespace
}  // namespace lockd::model
