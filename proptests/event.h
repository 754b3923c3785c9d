// One thing that happens to a lock table, legal or not, and how it is written down.
#ifndef LOCKD_PROPTESTS_EVENT_H_
#define LOCKD_PROPTESTS_EVENT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "model/lock_model.h"
#include "model/types.h"

namespace lockd::proptests {

/// The budget of an end, or of `ra`, in one step.
inline constexpr std::size_t all_locks = std::numeric_limits<std::size_t>::max();

enum class What : std::uint8_t {
  asks,       // a request, `ra` and `cancel` among them
  times_out,  // W5: the time of its wait is up
  learns,     // W4: its Wakeup arrives, which is on its way since another's event gave it the lock
  ends,       // S2, or the next slice of it
};

/// Something that a session does or that is done to it, be it alive or dead.
struct Event {
  SessionId session = SessionId::nobody;
  What what = What::asks;
  Verb verb = Verb::get;  // of a request, as is what follows
  Key key = {};
  std::uint32_t limit = 0;         // C1, C2
  std::uint32_t milliseconds = 0;  // W1, C2: 0, or any other number
  std::size_t budget = all_locks;  // of an end and of `ra`, 1 or more: so many locks are released
};

/// The lock that a request is about; none where it names no key.
std::optional<model::Lock> lock_of(const Event& event);

/// Whether it is one of the five that take a lock.
bool is_get(const Event& event);

/// The line, without its LF, by which a client asks for it; of a What::asks.
std::string request_of(const Event& event);

/// As a line of a scenario file: `1> g KEY`, `close 1`. What no client can do begins with `#!`.
std::ostream& operator<<(std::ostream& out, const Event& event);

/// A key, or replies, for the eyes of whoever reads a difference.
std::string shown(const Key& key);
std::string shown(const std::vector<model::Reply>& replies);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_EVENT_H_
