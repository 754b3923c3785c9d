// Histogram: each duration in its bucket, the bounds themselves below.
#include "engine/histogram.h"

#include <array>
#include <cstdint>

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

TEST(Histogram, E3_the_bounds_are_powers_of_ten_and_the_last_bucket_has_none) {
  std::uint64_t expected = 1;
  for (const std::uint64_t bound : Histogram::bounds_ms) {
    EXPECT_EQ(bound, expected);
    expected *= 10;
  }
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
  EXPECT_EQ(histogram.cumulative(0), 2U);
  EXPECT_EQ(histogram.cumulative(1), 4U);
  EXPECT_EQ(histogram.cumulative(2), 4U);
  EXPECT_EQ(histogram.cumulative(3), 5U);
  EXPECT_EQ(histogram.cumulative(6), 5U);
  EXPECT_EQ(histogram.cumulative(7), 6U);
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
