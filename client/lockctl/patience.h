// How long a command may outlive a lock that a vanished network took, whether the server waits for so long, and how
// long lockctl waits for a server that hangs.
#ifndef LOCKD_CLIENT_LOCKCTL_PATIENCE_H_
#define LOCKD_CLIENT_LOCKCTL_PATIENCE_H_

#include <chrono>
#include <string>

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// The soonest that a server with the usual --peer-timeout (30 s) gives away the lock of a client whose network has
/// vanished, counted from that moment: it may have heard of it for the last time half of its timeout before.
inline constexpr std::chrono::seconds server_patience{15};

/// How long the reply to a release is waited for, once the command has ended while the connection stood. Where none
/// comes the connection is closed, and the command's outcome stands: see is_sure_of_its_lock().
inline constexpr std::chrono::seconds release_patience{2};

/// Whether a connection that stands, by all that lockctl knows, still has its lock. The server gives a lock away when
/// the connection has ended: its end by the server's own doing arrives here, and a vanished network is noticed here, by
/// silence_max(), before such a server notices it. While the server hangs it gives nothing away.
bool is_sure_of_its_lock(const Options& options);

/// Nothing if the holder of a lock stops (`run`: its command is killed; `get`: the loss is noticed) before such a
/// server gives the lock to another. Else one line for people that says so. A Unix socket has no network to vanish.
std::string overlap_warning(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_PATIENCE_H_
