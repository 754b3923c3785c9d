// Rounds of lockd and floor in pairs, and what they say of lockd.
#ifndef LOCKD_BENCH_LOAD_REPORT_H_
#define LOCKD_BENCH_LOAD_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "bench/load_generator.h"

namespace lockd::bench {

/// One round of each, one right after the other, so that what disturbs the machine disturbs both.
struct LoadPair {
  LoadFigures lockd;
  LoadFigures floor;

  /// How near lockd comes to the floor; 1 is as good, less is worse.
  double throughput_ratio() const { return lockd.requests_per_second / floor.requests_per_second; }
  double cpu_ratio() const { return floor.cpu_ns_per_request / lockd.cpu_ns_per_request; }
};

/// All pairs of one setting. At least one.
struct LoadSeries {
  std::size_t connections = 0;
  std::size_t depth = 0;  // requests in flight on each connection
  std::vector<LoadPair> pairs;
};

/// The middle value, the upper of two; `values` is not empty.
double median(std::vector<double> values);

/// The table for people, lines ended by LF; ratios are medians over the pairs, not ratios of medians.
std::string as_table(const LoadSeries& series);

/// All series as one JSON array.
std::string as_json(const std::vector<LoadSeries>& all);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_LOAD_REPORT_H_
