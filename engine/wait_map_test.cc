// WaitMap: what was added is found until it is removed.
#include "engine/wait_map.h"

#include <cstdint>
#include <map>
#include <optional>
#include <random>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

TEST(WaitMap, W6_finds_each_session_that_waits_and_no_other) {
  std::mt19937 random(1);
  WaitMap map({1, 2});
  std::map<SessionId, WaitPlace> expected;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const SessionId session{1 + random() % 500};
    if (expected.erase(session) > 0) {
      map.remove(session);
      ASSERT_EQ(map.find(session), std::nullopt);
    } else {
      map.reserve_one();
      map.add(session, {i % 64, i});
      expected[session] = {i % 64, i};
    }
    ASSERT_EQ(map.size(), expected.size());
  }
  for (std::uint64_t id = 1; id <= 500; ++id) {
    const auto known = expected.find(SessionId{id});
    EXPECT_EQ(map.find(SessionId{id}), known == expected.end() ? std::nullopt : std::optional(known->second));
  }
  std::map<SessionId, WaitPlace> visited;
  map.visit([&](SessionId session, const WaitPlace& place) { visited[session] = place; });
  EXPECT_EQ(visited, expected);
}

TEST(WaitMap, a_copy_goes_on_alone) {
  WaitMap map({1, 2});
  map.reserve_one();
  map.add(SessionId{1}, {3, 4});
  WaitMap copy(map);
  map.remove(SessionId{1});
  EXPECT_EQ(copy.find(SessionId{1}), (WaitPlace{3, 4}));
}

TEST(WaitMapDeathTest, misuse_aborts_with_a_message) {
  WaitMap map({1, 2});
  map.reserve_one();
  map.add(SessionId{1}, {});
  EXPECT_DEATH(map.add(SessionId{1}, {}), "a session waits in one place at most");
  EXPECT_DEATH(map.remove(SessionId{2}), "only a session that waited is removed");
}

}  // namespace
}  // namespace lockd::engine
