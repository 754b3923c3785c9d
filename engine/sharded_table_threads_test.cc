// ShardedTable under real threads. Meant for ThreadSanitizer too: what one holder of a lock wrote without any other
// protection, the next one reads.
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/sharded_table.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

using Table = ShardedTable<std::mutex>;

constexpr int thread_count = 4;
constexpr int key_count = 13;
constexpr int sessions_per_thread = 50;
constexpr int requests_per_session = 400;

std::string numbered(int i) { return "key" + std::to_string(i); }

// What one thread did and saw.
struct Tally {
  std::array<std::uint64_t, key_count> granted{};  // exclusive locks newly taken, by key
  std::uint64_t orphans_exclusive = 0;
  std::uint64_t orphans_shared = 0;
  std::uint64_t failures = 0;  // answers that can't be, given what this session did before
};

// One session's life on its thread: random requests, every answer checked as far as the session alone can know it, then
// its end in slices.
class Life {
 public:
  Life(Table& table, SessionId id, std::array<std::uint64_t, key_count>& guarded, Tally& tally)
      : table_(table), session_(id), guarded_(guarded), tally_(tally), random_(static_cast<std::uint32_t>(id)) {}

  void live() {
    for (int i = 0; i < requests_per_session; ++i) {
      const int key = static_cast<int>(random_() % key_count);
      switch (random_() % 6) {
        case 0:
        case 1:
          get(key);
          break;
        case 2:
          release(key);
          break;
        case 3:
          get_shared(key);
          break;
        case 4:
          release_shared(key);
          break;
        default:
          inspect(key);
          break;
      }
    }
    end();
  }

 private:
  void require(bool holds) { tally_.failures += holds ? 0 : 1; }

  void get(int key) {
    const auto answer = table_.get(session_, g(numbered(key)), 0);
    const bool had_it = mine_[index(key)];
    require(answer == Answer{Outcome::lock_get_success} || (!had_it && answer == Answer{Outcome::lock_get_failure}));
    if (had_it || answer != Answer{Outcome::lock_get_success}) return;
    mine_[index(key)] = true;
    ++guarded_[index(key)];  // no other thread may touch it while this session holds the key
    ++tally_.granted[index(key)];
  }

  void release(int key) {
    if (mine_[index(key)]) ++guarded_[index(key)];
    const Outcome expected = mine_[index(key)] ? Outcome::lock_release_success : Outcome::lock_release_failure;
    if (mine_[index(key)]) ++tally_.granted[index(key)];
    require(table_.release(session_, exclusive, numbered(key), 0, woken_) == Answer{expected});
    mine_[index(key)] = false;
  }

  void get_shared(int key) {
    const auto answer = table_.get(session_, sg(numbered(key)), 0);
    require(answer && answer->outcome == Outcome::shared_get_success && answer->number >= 1 &&
            answer->number <= thread_count);
    mine_shared_[index(key)] = true;
  }

  void release_shared(int key) {
    const Outcome expected =
        mine_shared_[index(key)] ? Outcome::shared_release_success : Outcome::shared_release_failure;
    require(table_.release(session_, shared, numbered(key), 0, woken_) == Answer{expected});
    mine_shared_[index(key)] = false;
  }

  void inspect(int key) {
    if (mine_[index(key)])
      require(table_.inspect(session_, exclusive, numbered(key)) == Answer{Outcome::lock_is_locked});
    const auto answer = table_.inspect(session_, shared, numbered(key));
    require(answer && answer->number <= thread_count && (answer->number >= 1 || !mine_shared_[index(key)]));
  }

  void end() {
    for (int key = 0; key < key_count; ++key) {
      tally_.orphans_exclusive += mine_[index(key)] ? 1 : 0;
      tally_.orphans_shared += mine_shared_[index(key)] ? 1 : 0;
    }
    while (!table_.end_some(session_, 1 + random_() % 3, 0, woken_)) {
    }
    require(table_.get(session_, g(numbered(0)), 0) == std::nullopt);
    require(woken_.empty());  // nobody waits here
  }

  static std::size_t index(int key) { return static_cast<std::size_t>(key); }

  Table& table_;
  SessionLocks session_;
  std::array<std::uint64_t, key_count>& guarded_;
  Tally& tally_;
  std::mt19937 random_;
  Wakeups woken_;
  std::array<bool, key_count> mine_{};
  std::array<bool, key_count> mine_shared_{};
};

// What a thread that only looks must see at any time: a lasting key once in each walk, no exclusive key with two
// holders.
void look_until(const std::atomic<bool>& done, const Table& table, std::uint64_t& walks, std::uint64_t& failures) {
  while (!done.load()) {
    for (const LockKind kind : {exclusive, shared}) {
      TableCursor cursor;
      std::uint64_t lasting_seen = 0;
      const auto see = [&](std::string_view key, std::uint32_t holder_count, auto for_each_holder) {
        std::uint32_t counted = 0;
        for_each_holder([&](SessionId) { ++counted; });
        const bool sound = counted == holder_count && counted >= 1 && (kind == shared || counted == 1);
        failures += sound ? 0 : 1;
        lasting_seen += key == "lasting" ? 1 : 0;
      };
      while (table.visit(kind, cursor, 2, see)) {
      }
      failures += lasting_seen == 1 ? 0 : 1;
      failures += table.key_count(kind) >= 1 && table.key_count(kind) <= key_count + 1 ? 0 : 1;
    }
    failures += table.check_invariants() == std::nullopt ? 0 : 1;
    ++walks;
  }
}

class ThreadsTest : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(shards, ThreadsTest, ::testing::Values(1, 16));

TEST_P(ThreadsTest, X1_X2_H1_H2_S2_L5_four_threads_work_while_a_fifth_looks) {
  Table table({.seed = {1, 2}, .shard_count = GetParam()});
  SessionLocks lasting(SessionId{1000000});
  table.get(lasting, g("lasting"), 0);
  table.get(lasting, sg("lasting"), 0);

  std::array<std::uint64_t, key_count> guarded{};  // each written only by the holder of its key
  std::array<Tally, thread_count> tallies;
  std::atomic<bool> done = false;
  std::uint64_t walks = 0;
  std::uint64_t failures = 0;
  std::thread looker([&] { look_until(done, table, walks, failures); });
  std::vector<std::thread> workers;
  for (int thread = 0; thread < thread_count; ++thread) {
    workers.emplace_back([&, thread] {
      for (int i = 0; i < sessions_per_thread; ++i) {
        const auto id = static_cast<SessionId>(1 + thread * sessions_per_thread + i);
        Life(table, id, guarded, tallies[static_cast<std::size_t>(thread)]).live();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  done = true;
  looker.join();

  Tally sum;
  for (const Tally& tally : tallies) {
    for (std::size_t key = 0; key < key_count; ++key) sum.granted[key] += tally.granted[key];
    sum.orphans_exclusive += tally.orphans_exclusive;
    sum.orphans_shared += tally.orphans_shared;
    sum.failures += tally.failures;
  }
  EXPECT_EQ(sum.failures, 0U);
  EXPECT_EQ(failures, 0U);
  EXPECT_GT(walks, 0U);
  EXPECT_EQ(guarded, sum.granted);  // an increment lost: two holders at once
  EXPECT_EQ(table.orphan_count(exclusive), sum.orphans_exclusive);
  EXPECT_EQ(table.orphan_count(shared), sum.orphans_shared);
  EXPECT_GT(sum.orphans_exclusive, 0U);
  EXPECT_EQ(table.key_count(exclusive), 1U);
  EXPECT_EQ(table.key_count(shared), 1U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  Wakeups woken;
  EXPECT_TRUE(table.end_some(lasting, infinite, 0, woken));
  EXPECT_EQ(table.key_count(exclusive) + table.key_count(shared), 0U);
}

}  // namespace
}  // namespace lockd::engine
