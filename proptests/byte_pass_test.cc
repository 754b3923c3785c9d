// The second pass of the explorer must find sessions that do other than their reference: here by a setting, behind the
// way to a state.
#include "proptests/byte_pass.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

BytePassReport pass_with(const BytePassSides& sides) {
  Explorer explorer({.sessions = {SessionId{1}, SessionId{2}, SessionId{3}}}, {"a"}, Verbs::all);
  explorer.search_states({.up_to_renaming = true, .states_max = 30});
  return pass_on_bytes(explorer, sides);
}

TEST(BytePass, W_X_H_what_is_sound_passes) {
  const auto report = pass_with({});
  EXPECT_EQ(report.difference, std::nullopt);
  EXPECT_GT(report.events, report.states);
}

TEST(BytePass, W7_a_line_without_its_bound_is_found) {
  SessionLockstep::Config bounded;
  bounded.waiters_max = 1;
  const auto report = pass_with({.sessions = {}, .reference = bounded});
  ASSERT_TRUE(report.difference.has_value());
  EXPECT_TRUE(report.difference->starts_with("connect a1\nconnect b1\nconnect c1\nconnect d1\n")) << *report.difference;
  EXPECT_TRUE(report.difference->find(">| gw 1000 a\\n\n") != std::string::npos) << *report.difference;
}

TEST(BytePass, S5_sessions_with_a_bound_of_their_own_are_found) {
  SessionLockstep::Config bounded;
  bounded.locks_max = 1;
  const auto report = pass_with({.sessions = bounded, .reference = {}});
  ASSERT_TRUE(report.difference.has_value());
  EXPECT_TRUE(report.difference->starts_with("flags --max-locks 1\nconnect a1\n")) << *report.difference;
}

TEST(BytePass, F6_a_line_that_is_too_long_for_one_side_is_found) {
  SessionLockstep::Config short_lines;
  short_lines.settings.line_bytes_max = 5;
  EXPECT_TRUE(pass_with({.sessions = short_lines, .reference = {}}).difference.has_value());
}

}  // namespace
}  // namespace lockd::proptests
