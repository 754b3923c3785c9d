// The phases of bench/orphans, through which one thread leads the others.
#ifndef LOCKD_BENCH_PHASE_H_
#define LOCKD_BENCH_PHASE_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace lockd::bench {

enum class Phase : std::uint8_t {
  idle,      // all connections are open and silent
  taking,    // from the first get to the last reply
  holding,   // all locks are held and nothing changes
  listing,   // the same, and a client reads one whole `list`
  dropping,  // from the first close until the last lock is free and the last session gone
  between,   // before, after and between: not reported
};

/// The names of the phases that are reported, in their order.
inline constexpr std::array phase_names{"idle", "taking", "holding", "listing", "dropping"};

using SharedPhase = std::atomic<Phase>;

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_PHASE_H_
