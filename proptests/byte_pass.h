// The second pass over a closure: the whole stack of sessions and engine, on bytes.
#ifndef LOCKD_PROPTESTS_BYTE_PASS_H_
#define LOCKD_PROPTESTS_BYTE_PASS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proptests/explorer.h"
#include "proptests/session_lockstep.h"

namespace lockd::proptests {

struct BytePassReport {
  std::uint64_t states = 0;
  std::uint64_t events = 0;               // each in a world of its own, behind the way to its state
  std::optional<std::string> difference;  // the first, behind the events that lead to it, as a scenario
};

/// What sessions and reference go by. One that goes by something else must be found out.
struct BytePassSides {
  SessionLockstep::Config sessions;
  SessionLockstep::Config reference;
};

/// From each state that the explorer's last search_states() found, each of its events again, but as a client makes it:
/// requests as lines, ends as resets, in one step and in slices. Behind it an onlooker asks for everything that can be
/// seen of each key, and each session for its tokens; every byte is compared with the reference server's
/// (SessionLockstep).
///
/// Left out is what no client can do: to speak when it is dead, to have its Wakeup late (here they come at once, so
/// that some states are one), and a slice of `ra`.
BytePassReport pass_on_bytes(const Explorer& explorer, const BytePassSides& sides = {});

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_BYTE_PASS_H_
