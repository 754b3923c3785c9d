// What W6 does when another's request comes between any two of its steps: at each lock that a request takes, another
// one is executed whole. One thread, no chance.
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

// Thrown where a request would have to wait for another's mutex.
struct Blocked {};

// What happens before the next locks; empty most of the time.
std::function<void()> before_lock;

class InterruptedMutex {
 public:
  void lock() {
    if (before_lock) before_lock();
    if (locked_) throw Blocked();
    locked_ = true;
  }
  void unlock() { locked_ = false; }

 private:
  bool locked_ = false;
};

using Table = ShardedTable<InterruptedMutex>;

const Answer deadlock{Outcome::lock_get_deadlock};

// A table in which alice, bob and carol hold `a`, `b` and `c`.
struct Scene {
  explicit Scene(std::uint32_t shard_count) : table({.seed = test_seed, .shard_count = shard_count}) {
    table.get(alice, g("a"), 0);
    table.get(bob, g("b"), 0);
    table.get(carol, g("c"), 0);
  }

  void accept_grants() {
    for (const Wakeup& wakeup : std::exchange(woken, {})) {
      for (SessionLocks* session : {&alice, &bob, &carol}) {
        if (session->id == wakeup.session) table.accept_grant(*session);
      }
    }
  }

  Table table;
  SessionLocks alice{SessionId{1}};
  SessionLocks bob{SessionId{2}};
  SessionLocks carol{SessionId{3}};
  Wakeups woken;
};

using Act = std::function<void(Scene&)>;

// Runs `request` and, before its n-th lock (from 0 on), `other`; after it, where `other` would have had to wait or the
// request takes fewer. False in that last case: there are no more places to interrupt.
bool interrupt(Scene& scene, int n, const Act& request, const Act& other) {
  int locks = 0;
  bool done = false;
  before_lock = [&] {
    if (locks++ != n) return;
    const auto outer = std::exchange(before_lock, nullptr);
    try {
      other(scene);
      done = true;
    } catch (const Blocked&) {
      done = false;  // that request has changed nothing yet; those before it will find their work done
    }
    before_lock = outer;
  };
  request(scene);
  before_lock = nullptr;
  if (!done) other(scene);
  return locks > n;
}

class Interleaving : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(shards, Interleaving, ::testing::Values(1, 64));

TEST_P(Interleaving, W6_of_two_who_close_a_circle_at_once_exactly_one_is_refused) {
  int points = 0;
  for (bool more = true; more; ++points) {
    Scene scene(GetParam());
    std::optional<Answer> of_alice;
    std::optional<Answer> of_bob;
    more = interrupt(
        scene, points, [&](Scene& at) { of_alice = at.table.get(at.alice, gw("b"), 0); },
        [&](Scene& at) { of_bob = at.table.get(at.bob, gw("a"), 0); });
    EXPECT_EQ((of_alice == deadlock) + (of_bob == deadlock), 1) << points;
    EXPECT_NE(scene.alice.waits(), scene.bob.waits()) << points;
    EXPECT_EQ(scene.table.check_invariants(), std::nullopt) << points;
  }
  EXPECT_GT(points, 4);
}

TEST_P(Interleaving, W6_of_three_who_close_a_circle_the_last_two_at_once_one_is_refused) {
  int points = 0;
  for (bool more = true; more; ++points) {
    Scene scene(GetParam());
    scene.table.get(scene.carol, gw("a"), 0);
    std::optional<Answer> of_alice;
    std::optional<Answer> of_bob;
    more = interrupt(
        scene, points, [&](Scene& at) { of_alice = at.table.get(at.alice, gw("b"), 0); },
        [&](Scene& at) { of_bob = at.table.get(at.bob, gw("c"), 0); });
    EXPECT_EQ((of_alice == deadlock) + (of_bob == deadlock), 1) << points;
    EXPECT_EQ(scene.table.check_invariants(), std::nullopt) << points;
  }
  EXPECT_GT(points, 4);
}

TEST_P(Interleaving, W6_the_key_may_go_to_one_who_then_waits_for_the_asker) {
  int refused = 0;
  int points = 0;
  for (bool more = true; more; ++points) {
    Scene scene(GetParam());
    std::optional<Answer> of_alice;
    std::optional<Answer> of_carol;
    more = interrupt(
        scene, points, [&](Scene& at) { of_alice = at.table.get(at.alice, gw("b"), 0); },
        [&](Scene& at) {
          at.table.release(at.bob, exclusive, "b", 0, at.woken);
          at.table.get(at.carol, g("b"), 0);
          of_carol = at.table.get(at.carol, gw("a"), 0);
        });
    const bool carol_got_it = scene.carol.held == 2;  // otherwise alice was in line before
    EXPECT_EQ((of_alice == deadlock) + (of_carol == deadlock), carol_got_it ? 1 : 0) << points;
    EXPECT_EQ(scene.table.check_invariants(), std::nullopt) << points;
    refused += carol_got_it ? 1 : 0;
  }
  EXPECT_GT(refused, 2);
}

TEST_P(Interleaving, W6_a_lock_handed_over_during_the_walk_closes_no_circle_and_is_waited_for) {
  int refused = 0;
  int points = 0;
  for (bool more = true; more; ++points) {
    Scene scene(GetParam());
    scene.table.get(scene.bob, gw("a"), 0);
    std::optional<Answer> of_alice;
    // The wait for `b` closes a circle until carol's release, which has nothing to do with it; nor may it disturb.
    more = interrupt(
        scene, points, [&](Scene& at) { of_alice = at.table.get(at.alice, gw("b"), 0); },
        [&](Scene& at) { at.table.release(at.carol, exclusive, "c", 0, at.woken); });
    refused += of_alice == deadlock ? 1 : 0;
    EXPECT_EQ(scene.table.check_invariants(), std::nullopt) << points;
  }
  EXPECT_EQ(refused, points);
}

TEST_P(Interleaving, W4_W6_the_key_may_change_hands_between_any_two_steps) {
  int granted = 0;
  int waiting = 0;
  int points = 0;
  for (bool more = true; more; ++points) {
    for (const bool has_heir : {false, true}) {
      Scene scene(GetParam());
      if (has_heir) scene.table.get(scene.carol, gw("b"), 0);
      more = interrupt(
          scene, points, [&](Scene& at) { at.table.get(at.alice, gw("b"), 0); },
          [&](Scene& at) { at.table.release(at.bob, exclusive, "b", 0, at.woken); });
      EXPECT_EQ(scene.table.check_invariants(), std::nullopt) << points;
      scene.accept_grants();
      EXPECT_EQ(scene.alice.waits(), has_heir) << points;  // behind carol, or it has the key one way or the other
      EXPECT_EQ(scene.alice.held, has_heir ? 1U : 2U) << points;
      EXPECT_EQ(scene.carol.held, has_heir ? 2U : 1U) << points;
      granted += scene.alice.waits() ? 0 : 1;
      waiting += scene.alice.waits() ? 1 : 0;
    }
  }
  EXPECT_EQ(granted, waiting);
  EXPECT_GT(points, 4);
}

}  // namespace
}  // namespace lockd::engine
