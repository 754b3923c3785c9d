// How long things took, counted in few fixed buckets (E3).
#ifndef LOCKD_ENGINE_HISTOGRAM_H_
#define LOCKD_ENGINE_HISTOGRAM_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lockd::engine {

/// Durations in whole milliseconds, from one to 14 hours in steps of 1, 2.5 and 5. Plain data.
struct Histogram {
  /// The largest duration of each bucket but the last, which has no bound. (2 for 2.5, as no duration lies between.)
  static constexpr std::array<std::uint64_t, 24> bounds_ms = {
      1,       2,       5,         10,        25,        50,         100,        250,
      500,     1'000,   2'500,     5'000,     10'000,    25'000,     50'000,     100'000,
      250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 25'000'000, 50'000'000};
  static constexpr std::size_t bucket_count = bounds_ms.size() + 1;

  std::array<std::uint64_t, bucket_count> buckets{};
  std::uint64_t sum_ms = 0;

  void count(std::uint64_t duration_ms) {
    ++buckets[duration_ms <= bounds_ms.front() ? 0 : bucket_of(duration_ms)];  // most are: they take no look-up
    sum_ms += duration_ms;
  }

  /// The first bucket whose bound is not less. Each bound is at least twice the one before, so that of the durations of
  /// one width in bits at most one is a bound: those up to it belong to its bucket, the others to the next.
  static std::size_t bucket_of(std::uint64_t duration_ms) {
    const std::size_t at = first_buckets[static_cast<std::size_t>(std::bit_width(duration_ms))];
    return at + (at < bounds_ms.size() && duration_ms > bounds_ms[at] ? 1 : 0);
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

 private:
  /// The bucket of the smallest duration of each width in bits.
  static constexpr auto first_buckets = [] {
    std::array<std::uint8_t, 65> buckets{};
    for (std::size_t width = 1; width < buckets.size(); ++width) {
      while (buckets[width] < bounds_ms.size() && bounds_ms[buckets[width]] < std::uint64_t{1} << (width - 1)) {
        ++buckets[width];
      }
    }
    return buckets;
  }();
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_HISTOGRAM_H_
