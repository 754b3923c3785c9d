// The phases of bench/orphans, through which one thread leads the others.
#ifndef LOCKD_BENCH_PHASE_H_
#define LOCKD_BENCH_PHASE_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace lockd::bench {

using Clock = std::chrono::steady_clock;

enum class Phase : std::uint8_t {
  idle,      // all connections are open and silent
  taking,    // from the first get to the last reply
  holding,   // all locks are held and nothing changes
  dropping,  // from the first close until the last lock is free and the last session gone
  between,   // before, after and between: not reported
};

/// The names of the four phases that are reported, in their order.
inline constexpr std::array phase_names{"idle", "taking", "holding", "dropping"};

/// Which phase it was when. Starts in Phase::between; any thread may call.
class PhaseHistory {
 public:
  void begin(Phase phase);
  Phase now() const { return at(Clock::time_point::max()); }
  Phase at(Clock::time_point time) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<Clock::time_point, Phase>> begun_;  // under mutex_, by time
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_PHASE_H_
