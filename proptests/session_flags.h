// The daemon's flags, as far as sessions and engine know them without an edge.
#ifndef LOCKD_PROPTESTS_SESSION_FLAGS_H_
#define LOCKD_PROPTESTS_SESSION_FLAGS_H_

#include <string>
#include <vector>

#include "proptests/session_lockstep.h"

namespace lockd::proptests {

/// What these flags ask for, the rest as the daemon has it by default. Throws std::invalid_argument at a flag that
/// concerns the edge alone, or is none.
SessionLockstep::Config config_of(std::vector<std::string> flags);

/// The other way. (Shards have no flag.)
std::string flags_of(const SessionLockstep::Config& config);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SESSION_FLAGS_H_
