// The lock table's specification as a program: what each event does to the locks, and what is answered. Groups X and H
// of the protocol, S2 and S5. It is the oracle to which the engine is compared: slow, plain, meant to be read.
#ifndef LOCKD_MODEL_LOCK_MODEL_H_
#define LOCKD_MODEL_LOCK_MODEL_H_

#include <cstdint>
#include <map>
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
/// A request of X or H: illegal from a session that is not live (S2), or with a verb that concerns no lock.
struct SessionAsks {
  SessionId session;
  Verb verb;
  Key key;
};
/// S2 in one step, the session's locks being released and counted in it: illegal unless it is live.
struct SessionEnds {
  SessionId session;
};
/// S2 in slices: the session is dead, but all its locks are still held. Illegal unless it is live.
struct SessionEndBegins {
  SessionId session;
};
/// The next slice: one lock is released and counted. Illegal unless a session that has ended holds it.
struct LockOrphaned {
  SessionId session;
  Lock lock;
};
using Event = std::variant<SessionBegins, SessionAsks, SessionEnds, SessionEndBegins, LockOrphaned>;

/// The state: a value that only `step` changes; LockModel{.max_locks = 2} is the start with S5's bound set (0: none).
struct LockModel {
  std::uint64_t max_locks = 0;
  std::map<Lock, std::vector<SessionId>> held =
      {};  // the holders in the order of taking; what nobody holds is not in it
  std::set<SessionId> live = {};
  std::set<SessionId> ended = {};  // kept for ever: an id is never used again (S1)
  std::map<LockKind, std::uint64_t> orphans = {{LockKind::exclusive, 0}, {LockKind::shared, 0}};  // L3, since the start

  /// Looks: who holds a key exclusively, or `nobody`; who holds a lock, in the order of taking; what a session holds;
  /// L3's number of keys (not of holders).
  SessionId holder(const Key& key) const;
  std::vector<SessionId> holders(const Lock& lock) const;
  std::vector<Lock> locks_of(SessionId session) const;
  std::uint64_t keys_held(LockKind kind) const;

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

struct Step {
  LockModel state;
  std::vector<Reply> replies;
};

/// The specification: a pure function of the state and of what happens to it.
Step step(LockModel state, const Event& event);

}  // namespace lockd::model

#endif  // LOCKD_MODEL_LOCK_MODEL_H_
