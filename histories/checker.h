// The verdict on a history.
#ifndef LOCKD_HISTORIES_CHECKER_H_
#define LOCKD_HISTORIES_CHECKER_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "histories/history.h"
#include "histories/search.h"
#include "histories/session_rules.h"

namespace lockd::histories {

/// A lock whose part of the history is not found to be legal.
struct BadLock {
  LockKind kind;
  std::uint32_t key;
  SearchResult result;
};

struct Report {
  std::vector<Fault> faults;  // rules broken
  std::vector<BadLock> bad;
  std::size_t locks = 0;
  std::size_t windows = 0;
  std::size_t states = 0;
  std::size_t states_max = 0;  // of one window

  std::size_t count(Verdict verdict) const;  // of locks
  /// illegal where a rule is broken or a lock is; else undecided where a lock is; else ok.
  Verdict verdict() const;
};

/// A window of a hot lock with its daemon stopped in the middle takes some ten thousand.
inline constexpr std::size_t states_of_window_max = 2'000'000;

/// Each lock is searched by itself (linearizability is local), with all sessions' ends (S2: each lock at its own
/// moment), and the rules are looked at. Not checked: whether circles are refused rightly (W6; a refusal is taken for a
/// get that fails), the bounds of S5 and W7 (a history knows no such answers), the order in which one session's
/// requests for different locks take effect, beyond what their moments say.
Report check(const History& history, std::size_t states_max = states_of_window_max);

std::string_view name_of(Verdict verdict);

/// A part of the history of one lock that is illegal by itself, as small as can be had by steps none of which could
/// make a legal history illegal: what comes later is not known yet, who holds the lock at the start has it, and what
/// changed nothing is left out, as are holds and waits that nothing else depends on. Its moments may be narrower than
/// they were: that is what other locks showed. Needs a lock that was found illegal. (Where a wait ended before its
/// time, which is a rule's business, the part is left as it is.)
History shrink(const History& history, const BadLock& bad);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_CHECKER_H_
