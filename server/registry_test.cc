// The registry of sessions: addresses, names, and their order.
#include "server/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"

namespace lockd::server {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;  // address, name

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    for (const SessionId id : {ada, bob, cyd}) registry_.add(id, "A" + std::to_string(static_cast<unsigned>(id)));
  }

  // All rows of `who`, taken in slices of so many.
  Rows rows(std::size_t slice = 1000) const {
    Rows all;
    std::uint64_t after = 0;
    while (true) {
      const auto some = registry_.names_between(after, UINT64_MAX, slice);
      EXPECT_LE(some.size(), slice);
      for (const auto& row : some) all.emplace_back(*row.address, *row.name);
      if (some.size() < slice) return all;
    }
  }

  static constexpr SessionId ada{1};
  static constexpr SessionId bob{2};
  static constexpr SessionId cyd{3};
  Registry<engine::NullMutex> registry_;
};

TEST_F(RegistryTest, R1_the_name_is_the_address_until_one_is_set) {
  EXPECT_EQ(*registry_.address(ada), "A1");
  EXPECT_EQ(*registry_.holder(ada), "A1");
  registry_.name(ada, "ada l.");
  EXPECT_EQ(*registry_.address(ada), "A1");
  EXPECT_EQ(*registry_.holder(ada), "ada l.");
  EXPECT_EQ(*registry_.holder(bob), "A2");
}

TEST_F(RegistryTest, R2_an_empty_name_leaves_no_ghost_in_who) {
  registry_.name(ada, "ada");
  registry_.name(bob, "bob");
  registry_.name(ada, "");
  EXPECT_EQ(rows(), (Rows{{"A2", "bob"}}));
  EXPECT_EQ(*registry_.holder(ada), "A1");
  registry_.name(cyd, "");
  EXPECT_EQ(rows(), (Rows{{"A2", "bob"}}));
}

TEST_F(RegistryTest, R2_two_sessions_may_have_one_name) {
  registry_.name(ada, "x");
  registry_.name(bob, "x");
  EXPECT_EQ(rows(), (Rows{{"A1", "x"}, {"A2", "x"}}));
  registry_.name(ada, "");
  EXPECT_EQ(rows(), (Rows{{"A2", "x"}}));
}

TEST_F(RegistryTest, R3_names_stand_in_the_order_in_which_they_were_set) {
  registry_.name(cyd, "c");
  registry_.name(ada, "a");
  registry_.name(bob, "b");
  EXPECT_EQ(rows(), (Rows{{"A3", "c"}, {"A1", "a"}, {"A2", "b"}}));
}

TEST_F(RegistryTest, R2_setting_a_name_again_moves_it_to_the_end) {
  registry_.name(ada, "a");
  registry_.name(bob, "b");
  registry_.name(cyd, "c");
  registry_.name(ada, "a2");
  EXPECT_EQ(rows(), (Rows{{"A2", "b"}, {"A3", "c"}, {"A1", "a2"}}));
  registry_.name(bob, "b");  // the same one, too
  EXPECT_EQ(rows(), (Rows{{"A3", "c"}, {"A1", "a2"}, {"A2", "b"}}));
}

TEST_F(RegistryTest, S2_a_session_that_is_removed_takes_its_name_along) {
  registry_.name(ada, "a");
  registry_.name(bob, "b");
  EXPECT_EQ(registry_.size(), 3U);
  registry_.remove(ada);
  EXPECT_EQ(rows(), (Rows{{"A2", "b"}}));
  EXPECT_EQ(registry_.size(), 2U);
}

TEST_F(RegistryTest, R3_slices_of_any_size_give_every_row_once) {
  registry_.name(cyd, "c");
  registry_.name(ada, "a");
  registry_.name(bob, "b");
  for (std::size_t slice = 1; slice <= 4; ++slice) EXPECT_EQ(rows(slice), rows()) << "slices of " << slice;
}

TEST_F(RegistryTest, L5_what_was_given_stays_readable_when_its_session_goes) {
  registry_.name(ada, "ada");
  const Label address = registry_.address(ada);
  const Label holder = registry_.holder(ada);
  std::uint64_t after = 0;
  const auto shown = registry_.names_between(after, UINT64_MAX, 10);
  registry_.name(ada, "somebody else");
  registry_.remove(ada);
  EXPECT_EQ(*address, "A1");
  EXPECT_EQ(*holder, "ada");
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(*shown[0].name, "ada");
}

TEST_F(RegistryTest, R2_names_are_bytes) {
  const std::string name("\0 \xff \"\\", 6);
  registry_.name(ada, name);
  EXPECT_EQ(rows(), (Rows{{"A1", name}}));
}

TEST(RegistryDeathTest, S1_a_number_is_never_used_twice_at_once) {
  Registry<engine::NullMutex> registry;
  registry.add(SessionId{7}, "A7");
  EXPECT_DEATH(registry.add(SessionId{7}, "A8"), "a session's number is never used again");
}

// Each thread's own sessions come and go, and it looks at a lasting one all the while.
TEST(RegistryThreads, R1_R2_R3_hold_for_sessions_of_many_threads) {
  constexpr int thread_count = 4;
  constexpr int rounds = 500;
  Registry<std::mutex> registry;
  registry.add(SessionId{1}, "lasting");
  registry.name(SessionId{1}, "first");
  std::atomic<int> wrong = 0;
  const auto work = [&](std::uint64_t thread) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const SessionId own{10 + round * thread_count + thread};
      const std::string address = "A" + std::to_string(static_cast<std::uint64_t>(own));
      registry.add(own, address);
      registry.name(own, "name of " + address);
      if (*registry.holder(own) != "name of " + address) ++wrong;
      std::uint64_t after = 0;
      const auto rows = registry.names_between(after, UINT64_MAX, 100);
      if (rows.empty() || *rows.front().address != "lasting" || *rows.front().name != "first") ++wrong;
      for (const auto& row : rows) {
        if (*row.address != "lasting" && *row.name != "name of " + *row.address) ++wrong;
      }
      registry.name(own, "");
      if (*registry.holder(own) != address) ++wrong;
      registry.remove(own);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < thread_count; ++thread) threads.emplace_back(work, thread);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(registry.size(), 1U);
}

}  // namespace
}  // namespace lockd::server
