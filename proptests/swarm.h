// Random sequences of events. Each is drawn from a profile of its own (swarm testing): few or many sessions, hot and
// cold keys, some verbs left out and others preferred; so that sequences differ in kind, and a cap, an overflow or a
// rehash is met that an even mix never meets.
#ifndef LOCKD_PROPTESTS_SWARM_H_
#define LOCKD_PROPTESTS_SWARM_H_

#include <rapidcheck.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <vector>

#include "proptests/event.h"

namespace lockd::proptests {

/// What one sequence is drawn from. A bag holds an element as often as it is preferred.
struct Profile {
  std::uint32_t shard_count = 1;
  std::uint64_t locks_max = 0;
  std::uint64_t waiters_max = 0;
  std::uint64_t grants_max = 0;
  bool learns_at_once = false;  // Wakeups are never in flight when the next event comes
  int looks_every = 1;          // after so many steps everything is looked at, which takes most of the time; 1 or more
  std::vector<SessionId> sessions;
  std::vector<Key> keys;  // all, to be looked at
  std::vector<SessionId> session_bag;
  std::vector<Key> key_bag;
  std::vector<std::uint32_t> limit_bag;
  std::vector<int> action_bag;  // what can be drawn, as the generator numbers it
};

std::ostream& operator<<(std::ostream& out, const Profile& profile);

rc::Gen<Profile> profiles();

/// What is drawn at once: an event, or several that lead somewhere where chance alone would seldom get.
struct Step {
  std::vector<Event> events;  // 1 or more
  bool is_crowd = false;      // so many that only what comes of the last of them is to be looked at
};

/// As lines of a scenario.
std::ostream& operator<<(std::ostream& out, const Step& step);

/// The profile lives as long as RapidCheck shrinks what was drawn: longer than the caller.
rc::Gen<Step> steps(std::shared_ptr<const Profile> profile);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SWARM_H_
