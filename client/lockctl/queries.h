// The commands that look at a server and change nothing: inspect, list, who, stats, ping, version.
#ifndef LOCKD_CLIENT_LOCKCTL_QUERIES_H_
#define LOCKD_CLIENT_LOCKCTL_QUERIES_H_

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// options.command must be one of these. Returns the exit status, and has said on stderr what went wrong.
int query(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_QUERIES_H_
