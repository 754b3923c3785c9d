// The connection to the server, and locks on it, with outcomes as exit statuses and lines of text.
#ifndef LOCKD_CLIENT_LOCKCTL_LOCKING_H_
#define LOCKD_CLIENT_LOCKCTL_LOCKING_H_

#include <lockd/client.h>

#include <cstdint>
#include <string>
#include <variant>

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// What a refusal of the library's means for the process.
Failure failure_of(const Error& error, const Options& options);

/// Connects to options.server. A connection that is to hold a lock gets a name, unless the server knows none (R2).
std::variant<Client, Failure> connect_to_server(const Options& options);

/// A lock that was granted.
struct Held {
  std::uint64_t token = 0;
  std::uint64_t holders = 1;  // of a shared lock: this connection and the others at the moment of the grant
};

/// Takes options.key as options.lock says, waiting in line if it has to. A Failure without text is the plain no that
/// the caller asked to be told of by the exit status: somebody else holds the lock.
std::variant<Held, Failure> take_lock(Client& client, const Options& options);

/// Gives it back.
Result<void> release_lock(Client& client, const Options& options);

/// "exclusive" or "shared".
std::string name_of(Mode mode);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_LOCKING_H_
