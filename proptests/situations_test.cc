// A tally must reject a run in which one situation came up too rarely, and no other.
#include "proptests/situations.h"

#include <bitset>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

constexpr std::uint64_t sequence_count = 20'000;

// Each situation comes up in so many sequences as count() says of its row.
SituationTally tally_of(const std::function<double(const SituationRow&)>& count) {
  SituationTally tally;
  for (std::uint64_t i = 0; i < sequence_count; ++i) {
    std::bitset<situation_count> seen;
    for (const SituationRow& row : situation_table) {
      seen[static_cast<std::size_t>(row.situation)] = static_cast<double>(i) < count(row);
    }
    tally.add(seen);
  }
  return tally;
}

double mean(const SituationRow& row) { return std::round(row.share * static_cast<double>(sequence_count)); }

double floor_of(const SituationRow& row) {
  return tally_of([](const SituationRow&) { return 0; }).floor(row);
}

TEST(SituationTally, the_mean_is_enough_and_so_is_the_floor) {
  EXPECT_EQ(tally_of(mean).too_rare(), std::vector<std::string_view>{});
  const SituationRow& rarest = situation_table.at(static_cast<std::size_t>(Situation::a_thousand_keys));
  const double floor = std::ceil(floor_of(rarest));
  const auto at_floor = [&](const SituationRow& row) { return &row == &rarest ? floor : mean(row); };
  EXPECT_EQ(tally_of(at_floor).too_rare(), std::vector<std::string_view>{});
}

TEST(SituationTally, one_less_than_the_floor_is_too_rare) {
  for (const SituationRow& rare : {situation_table.front(), situation_table.back()}) {
    const double below = std::ceil(floor_of(rare)) - 1;
    ASSERT_GE(below, 0) << rare.name;
    const auto count = [&](const SituationRow& row) { return row.name == rare.name ? below : mean(row); };
    EXPECT_EQ(tally_of(count).too_rare(), std::vector<std::string_view>{rare.name});
  }
}

TEST(SituationTally, each_situation_that_never_comes_up_is_too_rare) {
  const auto rare = tally_of([](const SituationRow&) { return 0; }).too_rare();
  EXPECT_EQ(rare.size(), situation_count);
}

}  // namespace
}  // namespace lockd::proptests
