// What `lockctl bench` measures of one shape of traffic.
#ifndef LOCKD_CLIENT_LOCKCTL_BENCH_FIGURES_H_
#define LOCKD_CLIENT_LOCKCTL_BENCH_FIGURES_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace lockd::lockctl {

/// Latencies in whole microseconds: half of all were answered within p50_us, and so on.
struct Latencies {
  std::uint64_t p50_us = 0;
  std::uint64_t p90_us = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t p999_us = 0;
  std::uint64_t max_us = 0;
};

struct BenchFigures {
  std::string name;
  unsigned connections = 1;
  std::uint64_t requests = 0;
  double seconds = 0;
  Latencies latencies;
};

/// The nearest-rank percentiles of these; zeros if there are none.
Latencies latencies_of(std::vector<std::uint64_t> microseconds);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_BENCH_FIGURES_H_
