// The command bench: how fast a server answers, seen from here.
#ifndef LOCKD_CLIENT_LOCKCTL_BENCH_H_
#define LOCKD_CLIENT_LOCKCTL_BENCH_H_

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// Runs each shape of traffic for its share of options.duration and prints what came of it. Returns the exit status,
/// and has said on stderr what went wrong.
int bench(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_BENCH_H_
