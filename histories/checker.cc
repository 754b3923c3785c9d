#include "histories/checker.h"

#include <algorithm>

#include "engine/check.h"
#include "histories/lock_history.h"

namespace lockd::histories {

std::size_t Report::count(Verdict verdict) const {
  if (verdict == Verdict::ok) return locks - bad.size();
  return static_cast<std::size_t>(
      std::ranges::count_if(bad, [=](const BadLock& lock) { return lock.result.verdict == verdict; }));
}

Verdict Report::verdict() const {
  if (!faults.empty() || count(Verdict::illegal) > 0) return Verdict::illegal;
  return count(Verdict::undecided) > 0 ? Verdict::undecided : Verdict::ok;
}

Report check(const History& history, std::size_t states_max) {
  Report report{.faults = broken_rules(history), .bad = {}};
  for (const LockHistory& lock : locks_of(history)) {
    const SearchResult result = search(history, lock, states_max);
    ++report.locks;
    report.windows += result.windows;
    report.states += result.states;
    report.states_max = std::max(report.states_max, result.states_max);
    if (result.verdict != Verdict::ok) report.bad.push_back({lock.kind, lock.key, result});
  }
  return report;
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::illegal:
      return "illegal";
    case Verdict::undecided:
      return "undecided";
  }
  LOCKD_CHECK(false, "each verdict has a name");
}

}  // namespace lockd::histories
