// The command top: a live view of a server.
#ifndef LOCKD_CLIENT_LOCKCTL_TOP_H_
#define LOCKD_CLIENT_LOCKCTL_TOP_H_

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// On a terminal a screen that is drawn anew at each interval, until q or a signal comes; elsewhere a line of numbers
/// at each. Returns the exit status, and has said on stderr what went wrong. The terminal is as it was by then. To be
/// called by the main thread while there is no other. May throw std::system_error.
int top(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_TOP_H_
