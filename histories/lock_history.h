// A history cut into those of its locks: what each session did to one lock, and between which moments.
#ifndef LOCKD_HISTORIES_LOCK_HISTORY_H_
#define LOCKD_HISTORIES_LOCK_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "histories/history.h"

namespace lockd::histories {

/// A request that may wait takes effect twice: it is had at once or enters the line, and then it is handed the lock or
/// leaves the line. Everything else takes effect once.
enum class Part : std::uint8_t { whole, arrives, leaves };

/// One effect. It lies between `earliest` and `latest` of a moment, where it is answered. An unanswered one happens at
/// any time from `earliest` on, or not at all.
struct Event {
  std::size_t operation = 0;  // an index of History::operations
  Part part = Part::whole;
  bool is_answered = false;
  Moment earliest = 0;
  Moment latest = never;
  Moment expected = 0;      // a guess, that only says what to try first
  std::uint64_t token = 0;  // of the grant that this is, where a later answer told; 0: not known
};

/// What one session did to one lock, in order. Where the session ended, that is the last event, unless the session's
/// answers show that it had nothing of this lock by then. An end that was not seen to be over is unanswered.
using SessionEvents = std::vector<Event>;

struct LockHistory {
  LockKind kind = LockKind::exclusive;
  std::uint32_t key = 0;                // an index of History::keys
  std::vector<SessionEvents> sessions;  // of those that came near the lock, in no order
};

/// The moments are as narrow as a session's order allows, that of its requests for other locks included: it executes
/// one after another, and a wait that timed out took its time (W1). `ra` and ends concern those locks only which the
/// session may hold by its own answers. Unanswered looks are left out.
std::vector<LockHistory> locks_of(const History& history);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_LOCK_HISTORY_H_
