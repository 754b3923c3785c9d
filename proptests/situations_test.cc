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
#include "proptests/floor.h"

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

double floor_in_tally(const SituationRow& row) {
  return tally_of([](const SituationRow&) { return 0; }).floor(row);
}

TEST(Floor, is_7_deviations_below_the_mean) {
  constexpr std::uint64_t without_error = std::uint64_t{1} << 60;
  EXPECT_NEAR(floor_of(1000, 0.5, without_error), 389.3, 0.1);  // the deviation is 15.81
  EXPECT_EQ(floor_of(1000, 1, without_error), 1000);
}

// A million sequences are ten times as many as the share was measured of: their count told that it was 0.2817.
TEST(Floor, heeds_how_well_the_share_is_known) {
  EXPECT_LT(floor_of(1'000'000, 0.2872, 100'000), 281'713);
  EXPECT_GT(floor_of(1'000'000, 0.2872, 100'000), 270'000);
  EXPECT_NEAR(floor_of(1000, 0.5, 1000), 500 - 7 * 15.81 * 1.4142, 0.1);  // as uncertain as the count itself
}

TEST(SituationTally, the_mean_is_enough_and_so_is_the_floor) {
  EXPECT_EQ(tally_of(mean).too_rare(), std::vector<std::string_view>{});
  const SituationRow& rarest = situation_table.at(static_cast<std::size_t>(Situation::a_thousand_keys));
  const double floor = std::ceil(floor_in_tally(rarest));
  const auto at_floor = [&](const SituationRow& row) { return &row == &rarest ? floor : mean(row); };
  EXPECT_EQ(tally_of(at_floor).too_rare(), std::vector<std::string_view>{});
}

TEST(SituationTally, one_less_than_the_floor_is_too_rare) {
  for (const SituationRow& rare : {situation_table.front(), situation_table.back()}) {
    const double below = std::ceil(floor_in_tally(rare)) - 1;
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
