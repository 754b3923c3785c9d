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
  const auto permille = [&](std::size_t part) { return sorted[(sorted.size() * part + 999) / 1000 - 1]; };
  return {.count = sorted.size(),
          .p50_us = permille(500),
          .p99_us = permille(990),
          .p999_us = permille(999),
          .max_us = sorted.back()};
}

}  // namespace lockd::bench
