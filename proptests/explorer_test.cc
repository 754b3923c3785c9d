// That the explorer searches what it says. (The searches themselves are run by the program `explorer`, as deep as time
// allows.)
#include "proptests/explorer.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

const std::vector<SessionId> three_sessions = {SessionId{1}, SessionId{2}, SessionId{3}};

// What can be counted by hand: one session, one key. At the start r, sr change nothing, while g, sg and the end, in one
// step and in a slice, do: 6 events. After g: r, sg, and both ends change something, g and sr do not. After sg:
// likewise. After an end nothing does.
TEST(Explorer, S2_X1_H1_counts_what_it_searches) {
  Explorer explorer({.sessions = {SessionId{1}}}, {"a"});
  const auto shallow = explorer.search_sequences({.depth = 1});
  EXPECT_EQ(shallow.events, 6U);
  EXPECT_EQ(shallow.quiet, 2U);
  const auto deep = explorer.search_sequences({.depth = 2});
  EXPECT_EQ(deep.events, 6U + 4 * 6);
  EXPECT_EQ(deep.quiet, 2U + 2 + 2 + 6 + 6);
  EXPECT_EQ(deep.difference, std::nullopt);
}

// The exclusive lock free or held, the shared one too, and the session alive: 4 states. Dead it holds nothing, or,
// after one slice of two, the one lock that the engine left it: 2 more.
TEST(Explorer, S2_X1_H1_finds_all_states_of_one_session_and_one_key) {
  Explorer explorer({.sessions = {SessionId{1}}}, {"a"});
  const auto report = explorer.search_states();
  EXPECT_EQ(report.difference, std::nullopt);
  EXPECT_EQ(report.states, 6U);
  EXPECT_EQ(report.events, 6U * 6);
}

// With all verbs at the start: 11 requests for the key, ra in two forms, cancel, a timeout, a Wakeup and two ends; of
// these r, sr, ra, cancel, the timeout and the Wakeup change nothing. With renaming, one of two sessions speaks for
// both.
TEST(Explorer, W1_C1_E1_counts_what_it_searches_with_all_verbs) {
  Explorer alone({.sessions = {SessionId{1}}}, {"a"}, Verbs::all);
  const auto shallow = alone.search_sequences({.depth = 1});
  EXPECT_EQ(shallow.events, 18U);
  EXPECT_EQ(shallow.quiet, 7U);
  Explorer two({.sessions = {SessionId{1}, SessionId{2}}}, {"a"}, Verbs::all);
  EXPECT_EQ(two.search_sequences({.depth = 1}).events, 36U);
  EXPECT_EQ(two.search_sequences({.depth = 1, .up_to_renaming = true}).events, 18U);
}

// Behind each of the 11, that go to 3 states (it holds either lock, or is dead), all 18.
TEST(Explorer, W1_C1_goes_on_behind_one_of_those_that_lead_to_one_state) {
  Explorer alone({.sessions = {SessionId{1}}}, {"a"}, Verbs::all);
  EXPECT_EQ(alone.search_sequences({.depth = 2}).events, 18U + 11 * 18);
  EXPECT_EQ(alone.search_sequences({.depth = 2, .merges = true}).events, 18U + 3 * 18);
}

TEST(Explorer, the_numbered_parts_of_a_search_are_the_whole) {
  Explorer explorer({.sessions = three_sessions}, {"a", "b"}, Verbs::all);
  const auto at_start = explorer.search_sequences({.depth = 1, .up_to_renaming = true});
  std::uint64_t events = at_start.quiet;
  for (std::size_t number = 1; number <= at_start.events - at_start.quiet; ++number) {
    const auto part = explorer.search_sequences({.depth = 2, .up_to_renaming = true, .first_number = number});
    events += part.events - at_start.quiet;
  }
  EXPECT_EQ(events, explorer.search_sequences({.depth = 2, .up_to_renaming = true}).events);
}

TEST(Explorer, the_parts_of_a_search_are_the_whole) {
  Explorer explorer({.sessions = three_sessions}, {"a", "b"});
  const auto whole = explorer.search_sequences({.depth = 3});
  const auto at_start = explorer.search_sequences({.depth = 1}).quiet;
  std::uint64_t events = at_start;
  for (const std::uint64_t first : {1U, 2U, 3U}) {
    const auto part = explorer.search_sequences({.depth = 3, .first_session = SessionId{first}});
    EXPECT_EQ(part.difference, std::nullopt);
    events += part.events - at_start;
  }
  EXPECT_EQ(events, whole.events);
}

}  // namespace
}  // namespace lockd::proptests
