// Replays the conversations recorded from lockd's ancestors against every target, the daemon among them. (They lie
// beside the checkout; where they do not, this is skipped.)
#include <gtest/gtest.h>

#include <filesystem>

#include "proptests/recording.h"
#include "proptests/scenario.h"

namespace lockd::proptests {
namespace {

class GoldenReplay : public testing::TestWithParam<std::string> {};

TEST_P(GoldenReplay, F7_X_H_L1_R_S2_recordings) {
  if (!std::filesystem::is_directory(LOCKD_GOLDEN_DIR)) GTEST_SKIP() << "no recordings beside the checkout";
  const auto recordings = load_recordings(LOCKD_GOLDEN_DIR);
  std::size_t deviations = 0;
  for (const Recording& recording : recordings) {
    const auto target = make_target(GetParam(), recording.steps, LOCKD_BINARY);
    EXPECT_EQ(play(recording.steps, recording.file, *target), std::nullopt);
    deviations += recording.deviations;
  }
  EXPECT_GE(recordings.size(), 18U);  // nine from each ancestor
  EXPECT_EQ(deviations, known_deviations());
}

INSTANTIATE_TEST_SUITE_P(Targets, GoldenReplay, testing::ValuesIn(target_names()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace lockd::proptests
