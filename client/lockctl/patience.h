// How long a command may outlive a lock that a vanished network took, and whether the server waits for so long.
#ifndef LOCKD_CLIENT_LOCKCTL_PATIENCE_H_
#define LOCKD_CLIENT_LOCKCTL_PATIENCE_H_

#include <chrono>
#include <string>

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// The soonest that a server with the usual --peer-timeout (30 s) gives away the lock of a client whose network has
/// vanished, counted from that moment: it may have heard of it for the last time half of its timeout before.
inline constexpr std::chrono::seconds server_patience{15};

/// Nothing if the holder of a lock stops (`run`: its command is killed; `get`: the loss is noticed) before such a
/// server gives the lock to another. Else one line for people that says so. A Unix socket has no network to vanish.
std::string overlap_warning(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_PATIENCE_H_
