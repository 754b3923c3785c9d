#include "client/lockctl/bench_figures.h"

#include <algorithm>
#include <cmath>

namespace lockd::lockctl {

Latencies latencies_of(std::vector<std::uint64_t> microseconds) {
  if (microseconds.empty()) return {};
  std::ranges::sort(microseconds);
  const auto percentile = [&microseconds](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(microseconds.size())));
    return microseconds[std::max<std::size_t>(rank, 1) - 1];
  };
  return {percentile(0.5), percentile(0.9), percentile(0.99), percentile(0.999), microseconds.back()};
}

}  // namespace lockd::lockctl
