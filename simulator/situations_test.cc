// Runs in which a situation came up too rarely must be rejected.
#include "simulator/situations.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::simulator {
namespace {

const std::vector<std::string> all = Summary::names();

// `seeds` runs, in each of which everything comes up, but `rare` in the first `runs` of them alone.
Summary summary_with(const std::string& rare, std::uint64_t runs, std::uint64_t seeds) {
  Summary summary;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    Tally tally;
    for (const std::string& name : all) {
      if (name != rare || i < runs) tally[name] = 1;
    }
    summary.add(tally, 1);
  }
  return summary;
}

TEST(Summary, what_comes_up_always_is_not_too_rare) {
  EXPECT_EQ(summary_with("", 0, 1000).too_rare(), std::vector<std::string>{});
}

TEST(Summary, what_never_comes_up_is_too_rare) {
  ASSERT_GT(all.size(), 30U);
  for (const std::string& name : all) EXPECT_EQ(summary_with(name, 0, 5000).too_rare(), std::vector{name});
}

}  // namespace
}  // namespace lockd::simulator
