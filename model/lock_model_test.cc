// The laws of X, H, S1, S2 and S5, each with what it does not do; and the illegal events.
#include "model/lock_model.h"

#include <gtest/gtest.h>

#include <utility>

namespace lockd::model {
namespace {

constexpr SessionId alice{1};
constexpr SessionId bob{2};
constexpr SessionId carol{3};

// A state that three live sessions act on; every step's state must be sound.
class LockModelTest : public testing::Test {
 protected:
  void start(std::uint64_t max_locks) {
    state_ = LockModel{.max_locks = max_locks};
    for (const SessionId session : {alice, bob, carol}) happens(SessionBegins{session});
  }

  void SetUp() override { start(0); }

  std::vector<Reply> happens(const Event& event) {
    auto [state, replies] = step(std::move(state_), event);
    state_ = std::move(state);
    EXPECT_EQ(state_.violations(), std::vector<std::string>{});
    return replies;
  }

  // The one answer to a live session's request, which must go to it and carry the key.
  Answer ask(SessionId session, Verb verb, const Key& key) {
    const auto replies = happens(SessionAsks{session, verb, key});
    EXPECT_EQ(replies.size(), 1U);
    if (replies.empty()) return {};
    EXPECT_EQ(replies.front().to, session);
    EXPECT_EQ(replies.front().key, key);
    return replies.front().answer;
  }

  // An event that must neither be answered nor change anything.
  void expect_ignored(const Event& event) {
    const LockModel before = state_;
    EXPECT_EQ(happens(event), std::vector<Reply>{});
    EXPECT_EQ(state_, before);
  }

  std::vector<SessionId> sharing(const Key& key) const {
    std::vector<SessionId> sessions;
    for (const Holder& holder : state_.holders({LockKind::shared, key})) sessions.push_back(holder.session);
    return sessions;
  }

  LockModel state_;
};

TEST_F(LockModelTest, X1_a_free_key_is_got) {
  EXPECT_EQ(ask(alice, Verb::get, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(state_.holder("k"), alice);
}

TEST_F(LockModelTest, X1_getting_again_changes_nothing) {
  ask(alice, Verb::get, "k");
  const LockModel before = state_;
  EXPECT_EQ(ask(alice, Verb::get, "k"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(state_, before);
  EXPECT_EQ(ask(alice, Verb::release, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(state_.holder("k"), SessionId::nobody) << "holding is not counted";
}

TEST_F(LockModelTest, X1_a_held_key_is_refused) {
  ask(alice, Verb::get, "k");
  EXPECT_EQ(ask(bob, Verb::get, "k"), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(state_.holder("k"), alice);
}

TEST_F(LockModelTest, X2_only_the_holder_releases) {
  ask(alice, Verb::get, "k");
  EXPECT_EQ(ask(bob, Verb::release, "k"), Answer{Outcome::lock_release_failure});
  EXPECT_EQ(state_.holder("k"), alice);
  EXPECT_EQ(ask(alice, Verb::release, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(ask(alice, Verb::release, "k"), Answer{Outcome::lock_release_failure});
  EXPECT_EQ(ask(bob, Verb::get, "k"), Answer{Outcome::lock_get_success});
}

TEST_F(LockModelTest, X2_what_nobody_ever_held_is_not_released) {
  EXPECT_EQ(ask(alice, Verb::release, "never"), Answer{Outcome::lock_release_failure});
  EXPECT_EQ(state_.keys_held(LockKind::exclusive), 0U);
}

TEST_F(LockModelTest, X3_whoever_asks) {
  EXPECT_EQ(ask(alice, Verb::inspect, "k"), Answer{Outcome::lock_not_locked});
  ask(alice, Verb::get, "k");
  EXPECT_EQ(ask(alice, Verb::inspect, "k"), Answer{Outcome::lock_is_locked});
  EXPECT_EQ(ask(bob, Verb::inspect, "k"), Answer{Outcome::lock_is_locked});
  EXPECT_EQ(ask(bob, Verb::inspect, "kk"), Answer{Outcome::lock_not_locked});
}

TEST_F(LockModelTest, H1_counts_holders_each_once_in_order) {
  EXPECT_EQ(ask(bob, Verb::get_shared, "k"), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(ask(alice, Verb::get_shared, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(ask(bob, Verb::get_shared, "k"), (Answer{Outcome::shared_get_success, 2}));
  EXPECT_EQ(ask(carol, Verb::get_shared, "k"), (Answer{Outcome::shared_get_success, 3}));
  EXPECT_EQ(sharing("k"), (std::vector{bob, alice, carol}));
}

TEST_F(LockModelTest, H2_the_asker_leaves_and_the_others_stay) {
  for (const SessionId session : {alice, bob, carol}) ask(session, Verb::get_shared, "k");
  EXPECT_EQ(ask(bob, Verb::release_shared, "k"), Answer{Outcome::shared_release_success});
  EXPECT_EQ(sharing("k"), (std::vector{alice, carol}));
  EXPECT_EQ(ask(bob, Verb::release_shared, "k"), Answer{Outcome::shared_release_failure});
  EXPECT_EQ(sharing("k"), (std::vector{alice, carol}));
}

TEST_F(LockModelTest, H2_who_takes_it_again_is_the_last) {
  for (const SessionId session : {alice, bob}) ask(session, Verb::get_shared, "k");
  ask(alice, Verb::release_shared, "k");
  ask(alice, Verb::get_shared, "k");
  EXPECT_EQ(sharing("k"), (std::vector{bob, alice}));
}

TEST_F(LockModelTest, H3_counts_for_whoever_asks) {
  EXPECT_EQ(ask(carol, Verb::inspect_shared, "k"), Answer{Outcome::shared_not_locked});
  for (const SessionId session : {alice, bob}) ask(session, Verb::get_shared, "k");
  EXPECT_EQ(ask(carol, Verb::inspect_shared, "k"), (Answer{Outcome::shared_is_locked, 2}));
  EXPECT_EQ(ask(alice, Verb::inspect_shared, "k"), (Answer{Outcome::shared_is_locked, 2}));
  for (const SessionId session : {alice, bob}) ask(session, Verb::release_shared, "k");
  EXPECT_EQ(ask(carol, Verb::inspect_shared, "k"), Answer{Outcome::shared_not_locked});
  EXPECT_EQ(state_.keys_held(LockKind::shared), 0U);
}

TEST_F(LockModelTest, H_the_two_spaces_are_apart) {
  ask(alice, Verb::get, "k");
  EXPECT_EQ(ask(bob, Verb::inspect_shared, "k"), Answer{Outcome::shared_not_locked});
  EXPECT_EQ(ask(bob, Verb::get_shared, "k"), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(ask(alice, Verb::release_shared, "k"), Answer{Outcome::shared_release_failure});
  EXPECT_EQ(ask(bob, Verb::release, "k"), Answer{Outcome::lock_release_failure});
  EXPECT_EQ(ask(alice, Verb::release, "k"), Answer{Outcome::lock_release_success});
  EXPECT_EQ(sharing("k"), std::vector{bob});
}

TEST_F(LockModelTest, F3_keys_are_bytes) {
  const Key with_nul{"a\0b", 3};
  ask(alice, Verb::get, with_nul);
  ask(alice, Verb::get, "");
  EXPECT_EQ(ask(bob, Verb::get, "a"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(ask(bob, Verb::get, ""), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(ask(bob, Verb::get, with_nul), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(state_.keys_held(LockKind::exclusive), 3U);
}

TEST_F(LockModelTest, S1_an_id_is_never_used_again) {
  expect_ignored(SessionBegins{alice});
  happens(SessionEnds{alice});
  expect_ignored(SessionBegins{alice});
  expect_ignored(SessionBegins{SessionId::nobody});
}

TEST_F(LockModelTest, S2_the_end_releases_and_counts_both_kinds) {
  ask(alice, Verb::get, "a");
  ask(alice, Verb::get, "b");
  for (const SessionId session : {alice, bob}) ask(session, Verb::get_shared, "c");
  ask(bob, Verb::get, "d");
  EXPECT_EQ(happens(SessionEnds{alice}), std::vector<Reply>{});
  EXPECT_EQ(state_.locks_of(alice), std::vector<Lock>{});
  EXPECT_EQ(state_.locks_of(bob), (std::vector<Lock>{{LockKind::exclusive, "d"}, {LockKind::shared, "c"}}));
  EXPECT_EQ(state_.orphans.at(LockKind::exclusive), 2U);
  EXPECT_EQ(state_.orphans.at(LockKind::shared), 1U);
  EXPECT_EQ(state_.live, (std::set{bob, carol}));
}

TEST_F(LockModelTest, S2_the_end_of_who_holds_shared_locks_alone_releases_them) {
  ask(alice, Verb::get_shared, "c");
  happens(SessionEnds{alice});
  EXPECT_EQ(state_.keys_held(LockKind::shared), 0U);
  EXPECT_EQ(state_.orphans.at(LockKind::exclusive), 0U);
}

TEST_F(LockModelTest, S2_what_was_released_before_is_no_orphan) {
  ask(alice, Verb::get, "k");
  ask(alice, Verb::release, "k");
  ask(bob, Verb::get, "k");
  happens(SessionEnds{alice});
  EXPECT_EQ(state_.holder("k"), bob);
  EXPECT_EQ(state_.orphans.at(LockKind::exclusive), 0U);
}

TEST_F(LockModelTest, S2_in_slices_locks_stay_held_until_each_is_orphaned) {
  ask(alice, Verb::get, "x");
  ask(alice, Verb::get_shared, "s");
  happens(SessionEndBegins{alice});
  EXPECT_EQ(ask(bob, Verb::get, "x"), Answer{Outcome::lock_get_failure});
  EXPECT_EQ(ask(bob, Verb::inspect_shared, "s"), (Answer{Outcome::shared_is_locked, 1}));
  happens(LockOrphaned{alice, {LockKind::exclusive, "x"}});
  EXPECT_EQ(state_.orphans.at(LockKind::exclusive), 1U);
  EXPECT_EQ(state_.orphans.at(LockKind::shared), 0U);
  EXPECT_EQ(ask(bob, Verb::get, "x"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(ask(bob, Verb::get_shared, "s"), (Answer{Outcome::shared_get_success, 2}));
  happens(LockOrphaned{alice, {LockKind::shared, "s"}});
  EXPECT_EQ(state_.orphans.at(LockKind::shared), 1U);
  EXPECT_EQ(sharing("s"), std::vector{bob});
}

TEST_F(LockModelTest, S2_slices_come_to_the_same_as_one_step) {
  for (const Verb verb : {Verb::get, Verb::get_shared}) ask(alice, verb, "k");
  const LockModel at_once = step(state_, SessionEnds{alice}).state;
  happens(SessionEndBegins{alice});
  EXPECT_NE(state_, at_once);
  happens(LockOrphaned{alice, {LockKind::shared, "k"}});
  happens(LockOrphaned{alice, {LockKind::exclusive, "k"}});
  EXPECT_EQ(state_, at_once);
}

TEST_F(LockModelTest, S2_the_dead_and_the_unborn_do_nothing) {
  ask(alice, Verb::get, "k");
  happens(SessionEndBegins{alice});
  for (const SessionId session : {alice, SessionId{9}, SessionId::nobody}) {
    for (const Verb verb :
         {Verb::get, Verb::release, Verb::inspect, Verb::get_shared, Verb::release_shared, Verb::inspect_shared}) {
      expect_ignored(SessionAsks{session, verb, "k"});
    }
    expect_ignored(SessionEnds{session});
    expect_ignored(SessionEndBegins{session});
  }
}

TEST_F(LockModelTest, S2_only_what_an_ended_session_holds_is_orphaned) {
  ask(alice, Verb::get, "k");
  expect_ignored(LockOrphaned{alice, {LockKind::exclusive, "k"}});
  happens(SessionEndBegins{bob});
  expect_ignored(LockOrphaned{bob, {LockKind::exclusive, "k"}});
  expect_ignored(LockOrphaned{bob, {LockKind::exclusive, "free"}});
  happens(SessionEndBegins{alice});
  expect_ignored(LockOrphaned{alice, {LockKind::shared, "k"}});
  happens(LockOrphaned{alice, {LockKind::exclusive, "k"}});
  expect_ignored(LockOrphaned{alice, {LockKind::exclusive, "k"}});
}

TEST_F(LockModelTest, verbs_that_concern_no_lock_are_ignored) {
  for (int verb = static_cast<int>(Verb::cancel); verb < verb_count; ++verb) {
    expect_ignored(SessionAsks{alice, static_cast<Verb>(verb), "k"});
  }
}

TEST_F(LockModelTest, S5_bounds_both_kinds_together) {
  start(2);
  ask(alice, Verb::get, "a");
  ask(alice, Verb::get_shared, "b");
  EXPECT_EQ(ask(alice, Verb::get, "c"), Answer{Outcome::too_many_locks});
  EXPECT_EQ(ask(alice, Verb::get_shared, "c"), Answer{Outcome::too_many_locks});
  EXPECT_EQ(state_.locks_of(alice).size(), 2U);
  EXPECT_EQ(ask(bob, Verb::get, "c"), Answer{Outcome::lock_get_success}) << "each session has its own bound";
}

TEST_F(LockModelTest, S5_lets_what_is_held_be_got_again) {
  start(2);
  ask(alice, Verb::get, "a");
  ask(alice, Verb::get_shared, "b");
  EXPECT_EQ(ask(alice, Verb::get, "a"), Answer{Outcome::lock_get_success});
  EXPECT_EQ(ask(alice, Verb::get_shared, "b"), (Answer{Outcome::shared_get_success, 1}));
  EXPECT_EQ(ask(alice, Verb::get, "b"), Answer{Outcome::too_many_locks}) << "held in the other space only";
}

TEST_F(LockModelTest, S5_comes_before_the_key_is_looked_at) {
  start(1);
  ask(alice, Verb::get, "a");
  ask(bob, Verb::get, "b");
  EXPECT_EQ(ask(alice, Verb::get, "b"), Answer{Outcome::too_many_locks});
}

TEST_F(LockModelTest, S5_room_is_made_by_a_release) {
  start(1);
  ask(alice, Verb::get, "a");
  ask(alice, Verb::release, "a");
  EXPECT_EQ(ask(alice, Verb::get_shared, "b"), (Answer{Outcome::shared_get_success, 1}));
}

// Canaries: each broken state must be reported.
TEST(LockModelViolations, each_broken_law_is_seen) {
  LockModel sound{.max_locks = 1, .grants = 2};
  sound.live = {alice, bob};
  EXPECT_EQ(sound.violations(), std::vector<std::string>{});
  const Lock exclusive{LockKind::exclusive, "k"};
  const Lock shared{LockKind::shared, "k"};
  const auto broken = [&sound](const Lock& lock, const std::vector<SessionId>& holders) {
    LockModel state = sound;
    state.locks[lock] = {};
    for (std::uint64_t token = 1; const SessionId holder : holders) {
      state.locks[lock].holders.push_back({holder, token++});
    }
    return state.violations();
  };
  EXPECT_EQ(broken(shared, {alice, bob}), std::vector<std::string>{});
  EXPECT_EQ(broken(shared, {}).size(), 1U);
  EXPECT_EQ(broken(exclusive, {alice, bob}).size(), 1U);
  EXPECT_EQ(broken(shared, {alice, alice}).size(), 1U);
  EXPECT_EQ(broken(exclusive, {carol}).size(), 1U);
  sound.ended = {alice};
  EXPECT_EQ(sound.violations().size(), 1U);
  sound.ended.clear();
  sound.grants = 3;
  sound.locks[shared] = {.holders = {{alice, 3}}, .line = {}};
  EXPECT_EQ(broken(exclusive, {bob}), std::vector<std::string>{});
  EXPECT_EQ(broken(exclusive, {alice}).size(), 1U) << "more than max_locks";
}

}  // namespace
}  // namespace lockd::model
