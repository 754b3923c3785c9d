// Is there an order of events that the specification of one lock allows? Wing and Gong's search with Lowe's memory.
#ifndef LOCKD_HISTORIES_SEARCH_H_
#define LOCKD_HISTORIES_SEARCH_H_

#include <cstddef>
#include <cstdint>

#include "histories/history.h"
#include "histories/lock_history.h"

namespace lockd::histories {

/// `undecided` is no kind of `ok`: the search was given up.
enum class Verdict : std::uint8_t { ok, illegal, undecided };

struct SearchResult {
  Verdict verdict = Verdict::ok;
  std::size_t windows = 0;     // searched, the bad one included
  std::size_t states = 0;      // visited in all of them
  std::size_t states_max = 0;  // in one of them
  Moment bad_from = 0;         // of the window where the search ended, unless ok: its first moment
  Moment bad_to = 0;           // and its last, `never` where it has no end
};

/// Whether one lock's events can be put into an order, each between its moments and each session's in its own order,
/// in which every answer is what the lock must answer (LockState), and tokens grow with the grants (T1).
///
/// 1. The state of the search is how far each session has come, and the LockState. A state that was visited is not
///    visited again.
/// 2. An event that changes nothing and whose answer fits is taken as soon as it can be: to take it later can gain
///    nothing.
/// 3. At a moment that no event spans, the state is known: who holds the lock follows from his own answers, and nobody
///    is in line. So the history is cut there, into windows that are searched one by one.
/// 4. Of a session whose end was seen, what is unanswered may be dropped; without an end it may also stay undone.
///
/// Gives up when a window has needed more than `states_max` states.
SearchResult search(const History& history, const LockHistory& lock, std::size_t states_max);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_SEARCH_H_
