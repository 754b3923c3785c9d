// Tests of percentiles.
#include "client/lockctl/bench_figures.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

TEST(LockctlBenchFigures, nearest_rank) {
  std::vector<std::uint64_t> hundred;
  for (std::uint64_t i = 100; i > 0; --i) hundred.push_back(i);
  const Latencies latencies = latencies_of(hundred);
  EXPECT_EQ(latencies.p50_us, 50U);
  EXPECT_EQ(latencies.p90_us, 90U);
  EXPECT_EQ(latencies.p99_us, 99U);
  EXPECT_EQ(latencies.p999_us, 100U);
  EXPECT_EQ(latencies.max_us, 100U);
}

TEST(LockctlBenchFigures, few) {
  EXPECT_EQ(latencies_of({}).max_us, 0U);
  EXPECT_EQ(latencies_of({7}).p50_us, 7U);
  EXPECT_EQ(latencies_of({7}).p999_us, 7U);
  EXPECT_EQ(latencies_of({9, 7}).p50_us, 7U);
}

}  // namespace lockd::lockctl
