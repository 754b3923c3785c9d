// A lockctl in the command of another one: each is an owner of its own, and the server sees no circle.
#ifndef LOCKD_CLIENT_LOCKCTL_NESTING_H_
#define LOCKD_CLIENT_LOCKCTL_NESTING_H_

#include <string>

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// One line for people where `run` or `get` would wait without end for an exclusive lock that the environment (what
/// `run` sets for its command: LOCKD_KEY, LOCKD_MODE; null: not set) says is held for this very process. Else nothing.
/// Which server that lock is at the environment does not say: it is a warning, and no refusal.
std::string nesting_warning(const Options& options, const char* outer_key, const char* outer_mode);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_NESTING_H_
