// Round trips: collecting them, and what they come to.
#ifndef LOCKD_BENCH_LATENCY_H_
#define LOCKD_BENCH_LATENCY_H_

#include <chrono>
#include <cstddef>
#include <vector>

namespace lockd::bench {

/// Microseconds; all 0 where nothing was measured. A percentile is the smallest sample that at least that part of all
/// do not exceed.
struct LatencySummary {
  std::size_t count = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;
};

/// Keeps every sample. For one thread.
class LatencySamples {
 public:
  void add(std::chrono::nanoseconds round_trip);
  void clear() { samples_us_.clear(); }
  LatencySummary summary() const;

 private:
  std::vector<float> samples_us_;
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_LATENCY_H_
