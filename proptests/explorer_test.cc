// Canaries of the explorer: each faulty table must be found out, and the sound one must not. (The searches themselves
// are run by the program `explorer`, as deep as time allows.)
#include "proptests/explorer.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "proptests/faulty_tables.h"

namespace lockd::proptests {
namespace {

const std::vector<SessionId> three_sessions = {SessionId{1}, SessionId{2}, SessionId{3}};

template <class Table>
class ExplorerCanary : public ::testing::Test {
 protected:
  static Explorer<Table> explorer() { return {{.sessions = three_sessions, .locks_max = 3}, {"a", "b"}}; }
};

using FaultyTables =
    ::testing::Types<RefusesTheHolder, ReleasesForOthers, HidesOthersLocks, CapsHolders<2>, ReversesHolders,
                     CapsKeys<1>, ForgetsOrphans, OmitsFromListings, ObeysTheDead, LeavesALock, BoundsOneKindOnly>;
TYPED_TEST_SUITE(ExplorerCanary, FaultyTables);

TYPED_TEST(ExplorerCanary, is_found_by_sequences) {
  const auto report = this->explorer().search_sequences(4);
  ASSERT_TRUE(report.difference.has_value());
  EXPECT_TRUE(report.difference->starts_with("connect 1\nconnect 2\nconnect 3\n")) << *report.difference;
}

TYPED_TEST(ExplorerCanary, is_found_by_states) { EXPECT_TRUE(this->explorer().search_states().difference.has_value()); }

// What can be counted by hand: one session, one key. At the start r, sr change nothing, while g, sg and the end, in one
// step and in a slice, do: 6 events. After g: r, sg, and both ends change something, g and sr do not. After sg:
// likewise. After an end nothing does.
TEST(Explorer, S2_X1_H1_counts_what_it_searches) {
  Explorer<EngineTable> explorer({.sessions = {SessionId{1}}}, {"a"});
  const auto shallow = explorer.search_sequences(1);
  EXPECT_EQ(shallow.events, 6U);
  EXPECT_EQ(shallow.quiet, 2U);
  const auto deep = explorer.search_sequences(2);
  EXPECT_EQ(deep.events, 6U + 4 * 6);
  EXPECT_EQ(deep.quiet, 2U + 2 + 2 + 6 + 6);
  EXPECT_EQ(deep.difference, std::nullopt);
}

// The exclusive lock free or held, the shared one too, and the session alive: 4 states. Dead it holds nothing, or,
// after one slice of two, the one lock that the engine left it: 2 more.
TEST(Explorer, S2_X1_H1_finds_all_states_of_one_session_and_one_key) {
  Explorer<EngineTable> explorer({.sessions = {SessionId{1}}}, {"a"});
  const auto report = explorer.search_states();
  EXPECT_EQ(report.difference, std::nullopt);
  EXPECT_EQ(report.states, 6U);
  EXPECT_EQ(report.events, 6U * 6);
}

TEST(Explorer, the_parts_of_a_search_are_the_whole) {
  Explorer<EngineTable> explorer({.sessions = three_sessions}, {"a", "b"});
  const auto whole = explorer.search_sequences(3);
  const auto at_start = explorer.search_sequences(1).quiet;
  std::uint64_t events = at_start;
  for (const std::uint64_t first : {1U, 2U, 3U}) {
    const auto part = explorer.search_sequences(3, SessionId{first});
    EXPECT_EQ(part.difference, std::nullopt);
    events += part.events - at_start;
  }
  EXPECT_EQ(events, whole.events);
}

}  // namespace
}  // namespace lockd::proptests
