// Percentiles by sorting.
#include "bench/latency.h"

#include <algorithm>

namespace lockd::bench {

void LatencySamples::add(std::chrono::nanoseconds round_trip) {
  samples_us_.push_back(std::chrono::duration<float, std::micro>(round_trip).count());
}

LatencySummary LatencySamples::summary() const {
  if (samples_us_.empty()) return {};
  std::vector<float> sorted = samples_us_;
  std::ranges::sort(sorted);
  const auto percentile = [&](std::size_t percent) { return sorted[(sorted.size() * percent + 99) / 100 - 1]; };
  return {.count = sorted.size(), .p50_us = percentile(50), .p99_us = percentile(99), .max_us = sorted.back()};
}

}  // namespace lockd::bench
