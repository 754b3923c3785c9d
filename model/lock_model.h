// The lock table's specification as a program: what each event does to the locks, and what is answered. Groups X, H, W,
// C and T of the protocol, S2, S5, S6 and E1. It is the oracle to which the engine is compared: slow, plain, meant to
// be read.
#ifndef LOCKD_MODEL_LOCK_MODEL_H_
#define LOCKD_MODEL_LOCK_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model/types.h"

namespace lockd::model {

/// What can be held: a key in one of the two spaces.
struct Lock {
  LockKind kind;
  Key key;
  friend auto operator<=>(const Lock&, const Lock&) = default;
};

// All that can happen. An illegal event is defined too: it changes nothing and is not answered.

/// S1: illegal with `nobody` or with an id that was ever in use.
struct SessionBegins {
  SessionId session;
};
/// A request of X, H, W, C, T, or E1: illegal from a session that is not live (S2) or that waits (W2), and with a verb
/// that concerns no lock. `cancel` is an event of its own.
struct SessionAsks {
  SessionId session;
  Verb verb;
  Key key;
  std::uint32_t limit = 0;         // C1, C2: from 1
  std::uint32_t milliseconds = 0;  // W1, C2: the model knows no time, but 0 is no wait at all
};
/// W5: the time of a wait is up. Illegal unless the session waits.
struct WaitTimesOut {
  SessionId session;
};
/// W9: illegal unless the session waits.
struct WaitIsCanceled {
  SessionId session;
};
/// S2 in one step, the session's locks being released and counted in it: illegal unless it is live.
struct SessionEnds {
  SessionId session;
};
/// S2 in slices: the session is dead and waits no more, but all its locks are still held. Illegal unless it is live.
struct SessionEndBegins {
  SessionId session;
};
/// The next slice: one lock is released and counted. Illegal unless a session that has ended holds it.
struct LockOrphaned {
  SessionId session;
  Lock lock;
};
/// A slice of `ra` (E1), which is answered when all slices are done: one lock is released and not counted. Illegal
/// unless a live session that does not wait holds it.
struct LockReleased {
  SessionId session;
  Lock lock;
};
/// S6: all live sessions end in one step, and nobody is let through.
struct ServerStops {};
using Event = std::variant<SessionBegins, SessionAsks, WaitTimesOut, WaitIsCanceled, SessionEnds, SessionEndBegins,
                           LockOrphaned, LockReleased, ServerStops>;

/// T1: the model's own tokens are 1, 2, 3, ... in the order of the grants. Those of a server are others (TokenRule).
struct Holder {
  SessionId session;
  std::uint64_t token;
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct Waiter {
  SessionId session;
  std::uint32_t limit;  // let through when fewer hold the lock: C2's LIMIT, or 1 for an exclusive lock
  friend bool operator==(const Waiter&, const Waiter&) = default;
};

/// Who has a lock, in the order of taking, and who is in line for it, first come first (W3).
struct LockState {
  std::vector<Holder> holders;
  std::vector<Waiter> line;
  friend bool operator==(const LockState&, const LockState&) = default;
};

/// The state: a value that only `step` changes; LockModel{.max_locks = 2} is the start with S5's bound set.
struct LockModel {
  std::uint64_t max_locks = 0;           // S5; 0: no bound
  std::uint64_t max_waiters = 0;         // W7; 0: no bound
  std::uint64_t max_grants = 0;          // T1: how many tokens there are; 0: no bound
  std::uint64_t grants = 0;              // T1: since the start
  std::map<Lock, LockState> locks = {};  // what nobody holds is not in it
  std::set<SessionId> live = {};
  std::set<SessionId> ended = {};  // kept for ever: an id is never used again (S1)
  std::map<LockKind, std::uint64_t> orphans = {{LockKind::exclusive, 0}, {LockKind::shared, 0}};  // L3, since the start

  /// Looks: who holds a key exclusively, or `nobody`; who holds a lock, in the order of taking; who is in line for it;
  /// what a session holds; for what it waits. References are good until the state changes.
  SessionId holder(const Key& key) const;
  const std::vector<Holder>& holders(const Lock& lock) const;
  const std::vector<Waiter>& line(const Lock& lock) const;
  std::vector<Lock> locks_of(SessionId session) const;
  std::optional<Lock> wait_of(SessionId session) const;

  /// L3's number of keys (not of holders); all who wait.
  std::uint64_t keys_held(LockKind kind) const;
  std::uint64_t waiters() const;

  /// What must hold between any two steps and does not, a line for each; empty in every state that `step` reaches.
  std::vector<std::string> violations() const;

  friend bool operator==(const LockModel&, const LockModel&) = default;
};

/// An answer on its way to a session.
struct Reply {
  SessionId to;
  Answer answer;
  Key key;
  friend bool operator==(const Reply&, const Reply&) = default;
};

/// replies: the asking session's, if it is answered now, then those to the waiters that the step let through: of one
/// lock in the order of its line (W3, W4), of several in no stated order.
struct Step {
  LockModel state;
  std::vector<Reply> replies;
};

/// The specification: a pure function of the state and of what happens to it.
Step step(LockModel state, const Event& event);

}  // namespace lockd::model

#endif  // LOCKD_MODEL_LOCK_MODEL_H_
