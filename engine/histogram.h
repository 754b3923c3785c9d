// How long things took, counted in few fixed buckets (E3).
#ifndef LOCKD_ENGINE_HISTOGRAM_H_
#define LOCKD_ENGINE_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace lockd::engine {

/// Durations in milliseconds, by powers of ten. Plain data.
struct Histogram {
  /// The largest duration of each bucket but the last, which has no bound.
  static constexpr std::array<std::uint64_t, 7> bounds_ms = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};
  static constexpr std::size_t bucket_count = bounds_ms.size() + 1;

  std::array<std::uint64_t, bucket_count> buckets{};
  std::uint64_t sum_ms = 0;

  void count(std::uint64_t duration_ms) {
    std::size_t at = 0;
    while (at < bounds_ms.size() && duration_ms > bounds_ms[at]) ++at;
    ++buckets[at];
    sum_ms += duration_ms;
  }

  /// How many were counted up to bounds_ms[at], that included; all, where `at` is the last bucket.
  std::uint64_t cumulative(std::size_t at) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= at; ++i) total += buckets[i];
    return total;
  }

  std::uint64_t total() const { return cumulative(bucket_count - 1); }

  Histogram& operator+=(const Histogram& other) {
    for (std::size_t i = 0; i < bucket_count; ++i) buckets[i] += other.buckets[i];
    sum_ms += other.sum_ms;
    return *this;
  }

  friend bool operator==(const Histogram&, const Histogram&) = default;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_HISTOGRAM_H_
