// Histogram: each duration in its bucket, the bounds themselves below.
#include "engine/histogram.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

TEST(Histogram, E3_a_duration_falls_into_the_first_bucket_whose_bound_it_does_not_exceed) {
  for (std::size_t at = 0; at < Histogram::bounds_ms.size(); ++at) {
    Histogram histogram;
    const std::uint64_t bound = Histogram::bounds_ms[at];
    histogram.count(bound);
    EXPECT_EQ(histogram.buckets[at], 1U) << bound;
    histogram.count(bound + 1);
    EXPECT_EQ(histogram.buckets[at + 1], 1U) << bound;
    EXPECT_EQ(histogram.sum_ms, 2 * bound + 1);
  }
}

/// By counting the bounds that are less, for all that are short, and about each power of two and each bound.
TEST(Histogram, a_bucket_is_found_as_by_looking_at_each) {
  std::set<std::uint64_t> durations{UINT64_MAX};
  for (std::uint64_t ms = 0; ms < 10'000; ++ms) durations.insert(ms);
  for (const std::uint64_t bound : Histogram::bounds_ms) durations.insert({bound - 1, bound, bound + 1});
  for (int bit = 1; bit < 64; ++bit) durations.insert({(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit});
  for (const std::uint64_t ms : durations) {
    const auto less = std::ranges::count_if(Histogram::bounds_ms, [ms](std::uint64_t bound) { return bound < ms; });
    EXPECT_EQ(Histogram::bucket_of(ms), static_cast<std::size_t>(less)) << ms;
  }
}

TEST(Histogram, E3_the_bounds_have_three_steps_in_a_power_of_ten_and_the_last_bucket_has_none) {
  std::size_t at = 0;
  for (std::uint64_t power = 1; power <= 10'000'000; power *= 10) {
    for (const std::uint64_t bound : {power, power * 5 / 2, power * 5}) EXPECT_EQ(Histogram::bounds_ms.at(at++), bound);
  }
  EXPECT_EQ(at, Histogram::bounds_ms.size());
  Histogram histogram;
  histogram.count(0);
  histogram.count(UINT64_MAX - 1);  // more than any clock gives
  EXPECT_EQ(histogram.buckets.front(), 1U);
  EXPECT_EQ(histogram.buckets.back(), 1U);
  EXPECT_EQ(histogram.sum_ms, UINT64_MAX - 1);
}

TEST(Histogram, E3_cumulative_counts_all_up_to_a_bound) {
  Histogram histogram;
  for (const std::uint64_t ms : {0U, 1U, 5U, 5U, 1000U, 2000000U}) histogram.count(ms);
  EXPECT_EQ(histogram.cumulative(0), 2U);   // 1
  EXPECT_EQ(histogram.cumulative(1), 2U);   // 2
  EXPECT_EQ(histogram.cumulative(2), 4U);   // 5
  EXPECT_EQ(histogram.cumulative(8), 4U);   // 500
  EXPECT_EQ(histogram.cumulative(9), 5U);   // 1000
  EXPECT_EQ(histogram.cumulative(18), 5U);  // 1000000
  EXPECT_EQ(histogram.cumulative(19), 6U);  // 2500000
  EXPECT_EQ(histogram.cumulative(Histogram::bucket_count - 1), 6U);
  EXPECT_EQ(histogram.total(), 6U);
}

TEST(Histogram, E3_two_are_added_bucket_by_bucket) {
  Histogram all;
  std::array<Histogram, 2> parts;
  for (std::uint64_t ms = 1; ms < 10000000; ms = ms * 3 + 1) {
    all.count(ms);
    parts[ms % 2].count(ms);
  }
  parts[0] += parts[1];
  EXPECT_EQ(parts[0], all);
}

}  // namespace
}  // namespace lockd::engine
