// What a lock table counts (L3, E3).
#ifndef LOCKD_ENGINE_TOTALS_H_
#define LOCKD_ENGINE_TOTALS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/histogram.h"
#include "engine/requests.h"
#include "model/types.h"

namespace lockd::engine {

/// The numbers of one kind of lock.
struct KindTotals {
  // Now:
  std::uint64_t keys = 0;  // that somebody holds
  std::uint64_t holders = 0;
  std::uint64_t waiters = 0;
  std::uint64_t longest_line = 0;
  std::optional<Moment> oldest_wait = std::nullopt;  // when the one that has lasted longest began

  // Since the start:
  std::uint64_t grants = 0;   // T1
  std::uint64_t waits = 0;    // begun
  std::uint64_t orphans = 0;  // locks released by the end of their session (S2)
  Histogram hold_ms = {};     // of all locks that were given up
  Histogram wait_ms = {};     // of all waits that ended, however

  /// Another part of the same whole.
  KindTotals& operator+=(const KindTotals& other) {
    keys += other.keys;
    holders += other.holders;
    waiters += other.waiters;
    longest_line = std::max(longest_line, other.longest_line);
    if (other.oldest_wait) oldest_wait = std::min(oldest_wait.value_or(*other.oldest_wait), *other.oldest_wait);
    grants += other.grants;
    waits += other.waits;
    orphans += other.orphans;
    hold_ms += other.hold_ms;
    wait_ms += other.wait_ms;
    return *this;
  }

  friend bool operator==(const KindTotals&, const KindTotals&) = default;
};

/// Those of both.
struct Totals {
  std::array<KindTotals, 2> kinds;

  KindTotals& operator[](LockKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
  const KindTotals& operator[](LockKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }

  friend bool operator==(const Totals&, const Totals&) = default;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_TOTALS_H_
