// The history, read from its end.
#include "bench/phase.h"

#include <algorithm>
#include <ranges>

namespace lockd::bench {

void PhaseHistory::begin(Phase phase) {
  const std::lock_guard lock(mutex_);
  begun_.emplace_back(Clock::now(), phase);
}

Phase PhaseHistory::at(Clock::time_point time) const {
  const std::lock_guard lock(mutex_);
  const auto latest_first = begun_ | std::views::reverse;
  const auto found = std::ranges::find_if(latest_first, [time](const auto& begun) { return begun.first <= time; });
  return found == latest_first.end() ? Phase::between : found->second;
}

}  // namespace lockd::bench
