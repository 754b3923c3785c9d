// The commands run and get: a lock for as long as a command runs, or somebody wants it.
#ifndef LOCKD_CLIENT_LOCKCTL_RUN_H_
#define LOCKD_CLIENT_LOCKCTL_RUN_H_

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// Both return the exit status, and have said on stderr what went wrong. They may throw std::system_error. To be called
/// by the main thread, while there is no other.
int run(const Options& options);
int get(const Options& options);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_RUN_H_
