// One thing that happens to a lock table, legal or not, and how it is written down.
#ifndef LOCKD_PROPTESTS_EVENT_H_
#define LOCKD_PROPTESTS_EVENT_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "model/lock_model.h"
#include "model/types.h"

namespace lockd::proptests {

/// The budget of an end in one step.
inline constexpr std::size_t all_locks = std::numeric_limits<std::size_t>::max();

/// A request of a session, be it alive or dead; or, without a verb, the end of a session or the next slice of it.
struct Event {
  SessionId session = SessionId::nobody;
  std::optional<Verb> verb = std::nullopt;
  Key key = {};
  std::size_t budget = all_locks;  // of an end, 1 or more: so many locks are released
};

/// As a line of a scenario file: `1> g KEY`, `close 1`. A slice of an end, which no client can ask for, is a comment.
std::ostream& operator<<(std::ostream& out, const Event& event);

/// A key, or replies, for the eyes of whoever reads a difference.
std::string shown(const Key& key);
std::string shown(const std::vector<model::Reply>& replies);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_EVENT_H_
