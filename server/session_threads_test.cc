// Sessions of several threads at once over one table and one registry. Meant for ThreadSanitizer too: what the holder
// of a lock writes without any other protection, the next holder reads.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/session.h"

namespace lockd::server {
namespace {

constexpr std::size_t thread_count = 4;
constexpr std::uint64_t sessions_per_thread = 60;
constexpr int requests_per_session = 200;
constexpr std::size_t key_count = 5;

class SessionThreads : public testing::Test {
 protected:
  // One thread's sessions, one after the other.
  void run_thread(std::size_t thread) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(20261121 + thread));
    const Services<std::mutex> services{settings_, table_, registry_, statistics_[thread], statistics_, turns_[thread]};
    for (std::uint64_t i = 0; i < sessions_per_thread; ++i) {
      const SessionId id{1 + i * thread_count + thread};
      Session<std::mutex> session(id, "A" + std::to_string(static_cast<std::uint64_t>(id)), services);
      for (int request = 0; request < requests_per_session; ++request) ask_something(session, services, random);
      while (!session.end_some(services, 1)) continue;
    }
  }

  void ask_something(Session<std::mutex>& session, const Services<std::mutex>& services, std::mt19937& random) {
    constexpr std::array requests = {"d\n",  "sd\n",       "dump\n", "dump shared\n", "who\n",      "q\n",
                                     "me\n", "iam name\n", "iam\n",  "sg shared\n",   "sr shared\n"};
    if (random() % 2 == 0) return take_and_release(session, services, random() % key_count);
    ask(session, services, requests[random() % requests.size()]);
  }

  void take_and_release(Session<std::mutex>& session, const Services<std::mutex>& services, std::size_t key) {
    const std::string name = std::to_string(key);
    if (ask(session, services, "g " + name + "\n").front() == '0') return;
    ++grants_[key];
    if (ask(session, services, "r " + name + "\n") != "1 Lock Release Success: " + name + "\n") ++wrong_;
    ++releases_;
  }

  static std::string ask(Session<std::mutex>& session, const Services<std::mutex>& services, std::string_view request) {
    std::string out;
    Next next = session.receive(request, services, out);
    while (next == Next::turn) next = session.go_on(services, out);
    return out;
  }

  const Settings settings_;
  engine::ShardedTable<std::mutex> table_{{.seed = {1, 2}, .shard_count = 4}};
  Registry<std::mutex> registry_;
  std::array<Statistics, thread_count> statistics_;
  std::array<Turn, thread_count> turns_;
  std::array<std::uint64_t, key_count> grants_{};  // each guarded by the lock of its number, and by nothing else
  std::atomic<std::uint64_t> releases_ = 0;
  std::atomic<int> wrong_ = 0;
};

TEST_F(SessionThreads, X1_X2_S2_L3_one_holder_at_a_time_and_nothing_is_left) {
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < thread_count; ++thread) threads.emplace_back([=, this] { run_thread(thread); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong_, 0);
  std::uint64_t grants = 0;
  for (const std::uint64_t count : grants_) grants += count;
  EXPECT_EQ(grants, releases_) << "increments were lost: two held one lock";
  EXPECT_GT(grants, 1000U);
  EXPECT_EQ(table_.key_count(LockKind::exclusive), 0U);
  EXPECT_EQ(table_.key_count(LockKind::shared), 0U);
  EXPECT_EQ(registry_.size(), 0U);
  EXPECT_EQ(table_.check_invariants(), std::nullopt);
}

}  // namespace
}  // namespace lockd::server
