// Lines under real threads: circles closed by two at once, hand-overs from thread to thread, and tokens. Meant for
// ThreadSanitizer too: what one holder of a lock wrote without any other protection, the next one reads.
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

using Table = ShardedTable<std::mutex>;

// Runs all of them at once. Threads that never come back would keep the test from failing, so that ends the program.
void run_together(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::future<void>> running;
  for (const auto& body : bodies) running.push_back(std::async(std::launch::async, body));
  for (auto& one : running) {
    if (one.wait_for(std::chrono::minutes(2)) == std::future_status::ready) {
      one.get();
      continue;
    }
    std::cerr << "a thread hangs\n";
    std::abort();
  }
}

// One of several sessions, each on its thread and with a key of its own, that all at once wait for the next one's.
struct InCircle {
  explicit InCircle(std::uint64_t number) : key("key" + std::to_string(number)), session(SessionId{1 + number}) {}

  std::string key;
  SessionLocks session;
  std::optional<Answer> answer;
};

// Lets others go first at each lock, so that their requests interleave there although each is short.
class YieldingMutex {
 public:
  void lock() {
    std::this_thread::yield();
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Whoever was refused releases its lock, which goes round, until all have had what they waited for.
void unwind(ShardedTable<YieldingMutex>& table, std::vector<InCircle>& circle) {
  Wakeups woken;
  for (InCircle& one : circle) {
    if (one.answer) table.release_some(one.session, infinite, 0, woken);
  }
  for (std::size_t i = 0; i < woken.size(); ++i) {
    SessionLocks& session = circle[static_cast<std::size_t>(woken[i].session) - 1].session;
    table.accept_grant(session);
    table.release_some(session, infinite, 0, woken);
  }
  ASSERT_EQ(woken.size(), circle.size() - 1);
}

class CirclesOfThreads : public ::testing::TestWithParam<std::tuple<std::uint32_t, std::uint64_t>> {};

INSTANTIATE_TEST_SUITE_P(shards_and_sessions, CirclesOfThreads,
                         ::testing::Combine(::testing::Values(1, 64), ::testing::Values(2, 3, 5)));

TEST_P(CirclesOfThreads, W6_of_those_who_close_a_circle_at_once_exactly_one_is_refused) {
  const auto [shard_count, size] = GetParam();
  constexpr int rounds = 200;
  ShardedTable<YieldingMutex> table({.seed = test_seed, .shard_count = shard_count});
  std::vector<InCircle> circle;
  for (std::uint64_t i = 0; i < size; ++i) circle.emplace_back(i);
  std::uint64_t refused = 0;

  const auto between_rounds = [&, first = true]() mutable noexcept {
    if (!std::exchange(first, false)) {
      std::uint64_t answered = 0;
      for (const InCircle& one : circle) answered += one.answer ? 1 : 0;
      for (const InCircle& one : circle) refused += one.answer == Answer{Outcome::lock_get_deadlock} ? 1 : 0;
      EXPECT_EQ(answered, 1U);
      EXPECT_EQ(table.check_invariants(), std::nullopt);
      unwind(table, circle);
    }
    for (InCircle& one : circle) EXPECT_EQ(table.get(one.session, g(one.key), 0), Answer{Outcome::lock_get_success});
  };
  std::atomic<std::uint64_t> started = 0;
  std::barrier barrier(static_cast<std::ptrdiff_t>(size), between_rounds);
  std::vector<std::function<void()>> bodies;
  for (std::uint64_t i = 0; i < size; ++i) {
    bodies.emplace_back([&, i] {
      for (int round = 0; round < rounds; ++round) {
        barrier.arrive_and_wait();
        // Those whom the barrier wakes come one by one: they wait awake for the last.
        for (++started; started.load() < size * (static_cast<std::uint64_t>(round) + 1);) std::this_thread::yield();
        circle[i].answer = table.get(circle[i].session, gw(circle[(i + 1) % size].key), 0);
      }
      barrier.arrive_and_wait();
    });
  }
  run_together(bodies);
  EXPECT_EQ(refused, static_cast<std::uint64_t>(rounds));
}

constexpr std::uint64_t thread_count = 4;
constexpr std::uint64_t sessions_per_thread = 6;
constexpr int steps_per_thread = 8000;
constexpr std::uint64_t key_count = 7;

std::string numbered(std::uint64_t i) { return "key" + std::to_string(i); }

// Where wake-ups for one thread are laid down.
struct Mailbox {
  std::mutex mutex;
  Wakeups wakeups;  // guarded by mutex
};

// What all threads share.
struct World {
  Table table;
  std::array<Mailbox, thread_count> mailboxes;
  std::array<std::uint64_t, key_count> last_token{};  // each written only by the holder of its exclusive lock
  std::atomic<std::uint64_t> next_session = 1;
};

// What one thread saw.
struct Tally {
  std::vector<std::uint64_t> tokens;
  std::uint64_t hand_overs = 0;
  std::uint64_t deadlocks = 0;
  std::uint64_t left = 0;
  std::uint64_t ended_in_line = 0;
  std::uint64_t failures = 0;  // what can't be
};

// A session, and what its thread remembers of it.
struct Client {
  SessionLocks locks;
  LockKind kind = LockKind::exclusive;  // of what it waits for
  std::uint64_t key = 0;
};

// The sessions of one thread, which do at random whatever they may; those that die are replaced.
class Worker {
 public:
  Worker(World& world, std::uint32_t number, Tally& tally)
      : world_(world), home_(number), tally_(tally), random_(number) {
    for (std::uint64_t i = 0; i < sessions_per_thread; ++i) clients_.push_back(new_client());
  }

  void work() {
    for (int i = 0; i < steps_per_thread; ++i) {
      accept_grants();
      Client& client = clients_[random_() % clients_.size()];
      client.locks.waits() ? step_in_line(client) : step(client);
      post();
    }
    for (Client& client : clients_) end(client);
    post();
  }

 private:
  void require(bool holds) { tally_.failures += holds ? 0 : 1; }

  Client new_client() { return {SessionLocks(SessionId{world_.next_session++}, home_)}; }

  void step(Client& client) {
    client.kind = random_() % 3 == 0 ? shared : exclusive;
    client.key = random_() % key_count;
    switch (random_() % 8) {
      case 0:
        world_.table.release_some(client.locks, 1 + random_() % 3, 0, woken_);
        return;
      case 1:
        if (random_() % 8 == 0) end(client);
        return;
      case 2:
        world_.table.release(client.locks, client.kind, numbered(client.key), 0, woken_);
        return;
      case 3:
        return get(client, get_of(client.kind, numbered(client.key)));
      default:
        return client.kind == exclusive
                   ? get(client, gw(numbered(client.key)))
                   : get(client, sgw(static_cast<std::uint32_t>(1 + random_() % 3), numbered(client.key)));
    }
  }

  void get(Client& client, const Get& get) {
    const std::uint64_t held_before = client.locks.held;
    const auto answer = world_.table.get(client.locks, get, 0);
    require(answer.has_value() != client.locks.waits());
    if (client.locks.held > held_before) granted(client);
    tally_.deadlocks += answer == Answer{Outcome::lock_get_deadlock} ? 1 : 0;
  }

  // T1: the holder of an exclusive lock, and nobody else at that time, compares its token with the last one.
  void granted(Client& client) {
    const auto answer = world_.table.token(client.locks, client.kind, numbered(client.key));
    require(answer && answer->number > 0);
    tally_.tokens.push_back(answer->number);
    if (client.kind == shared) return;
    require(answer->number > world_.last_token[client.key]);
    world_.last_token[client.key] = answer->number;
  }

  void step_in_line(Client& client) {
    if (random_() % 4 != 0) return;
    if (random_() % 8 == 0) return end(client);
    const auto answer = world_.table.leave_line(client.locks, Leave::timeout, 0, woken_);
    require(answer.has_value() != client.locks.waits());
    tally_.left += answer ? 1 : 0;
  }

  void end(Client& client) {
    tally_.ended_in_line += client.locks.waits() ? 1 : 0;
    while (!world_.table.end_some(client.locks, 1 + random_() % 3, 0, woken_)) {
    }
    client = new_client();
  }

  void accept_grants() {
    Wakeups arrived;
    {
      const std::lock_guard lock(world_.mailboxes[home_].mutex);
      arrived.swap(world_.mailboxes[home_].wakeups);
    }
    for (const Wakeup& wakeup : arrived) {
      for (Client& client : clients_) {
        if (client.locks.id == wakeup.session) accept(client, wakeup);
      }
    }
  }

  void accept(Client& client, const Wakeup& wakeup) {
    require(client.locks.waits());
    require(wakeup.answer.outcome ==
            (client.kind == exclusive ? Outcome::lock_get_success : Outcome::shared_get_success));
    world_.table.accept_grant(client.locks);
    granted(client);
    ++tally_.hand_overs;
  }

  void post() {
    for (const Wakeup& wakeup : woken_) {
      const std::lock_guard lock(world_.mailboxes[wakeup.home].mutex);
      world_.mailboxes[wakeup.home].wakeups.push_back(wakeup);
    }
    woken_.clear();
  }

  World& world_;
  std::uint32_t home_;
  Tally& tally_;
  std::mt19937 random_;
  std::vector<Client> clients_;
  Wakeups woken_;
};

class WaitingThreads : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  // All threads once from beginning to end, with a table of their own.
  void run_round() {
    World world{.table = Table({.seed = test_seed, .shard_count = GetParam()}), .mailboxes = {}};
    std::array<Tally, thread_count> tallies;
    std::atomic<std::uint64_t> working = thread_count;
    std::vector<std::function<void()>> bodies;
    for (std::uint32_t i = 0; i < thread_count; ++i) {
      bodies.emplace_back([&, i] {
        Worker(world, i, tallies[i]).work();
        --working;
      });
    }
    bodies.emplace_back([&] {
      do {
        EXPECT_EQ(world.table.check_invariants(), std::nullopt);
      } while (working.load() > 0);
    });
    run_together(bodies);
    add(tallies);
    expect_nothing_left(world.table);
  }

  // How often what is rare comes up is the scheduler's business.
  bool has_seen_enough() const {
    return sum_.hand_overs > 100 && sum_.deadlocks > 20 && sum_.left > 100 && sum_.ended_in_line > 10;
  }

  Tally sum_;

 private:
  void add(const std::array<Tally, thread_count>& tallies) {
    std::set<std::uint64_t> tokens;
    for (const Tally& tally : tallies) {
      for (const std::uint64_t token : tally.tokens) sum_.failures += tokens.insert(token).second ? 0 : 1;
      sum_.failures += tally.failures;
      sum_.hand_overs += tally.hand_overs;
      sum_.deadlocks += tally.deadlocks;
      sum_.left += tally.left;
      sum_.ended_in_line += tally.ended_in_line;
    }
  }

  static void expect_nothing_left(const Table& table) {
    EXPECT_EQ(table.check_invariants(), std::nullopt);
    for (const LockKind kind : {exclusive, shared}) {
      const KindTotals totals = table.totals()[kind];
      EXPECT_EQ(totals.keys + totals.holders + totals.waiters + totals.longest_line, 0U);
      EXPECT_EQ(totals.oldest_wait, std::nullopt);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(shards, WaitingThreads, ::testing::Values(1, 16));

TEST_P(WaitingThreads, W1_W4_W5_W6_T1_S2_threads_wait_for_one_another_while_another_looks) {
  for (int round = 0; round < 200 && !has_seen_enough(); ++round) run_round();
  EXPECT_TRUE(has_seen_enough());
  EXPECT_EQ(sum_.failures, 0U);
}

}  // namespace
}  // namespace lockd::engine
