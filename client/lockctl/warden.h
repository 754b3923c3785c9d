// A process that outlives lockctl by a moment, so that no lock is free before its command has ended.
#ifndef LOCKD_CLIENT_LOCKCTL_WARDEN_H_
#define LOCKD_CLIENT_LOCKCTL_WARDEN_H_

#include <sys/types.h>

#include "client/lockctl/child.h"
#include "client/lockctl/pipe.h"

namespace lockd::lockctl {

/// When lockctl is killed (SIGKILL), the kernel first closes its connection, and only then kills the command: between
/// the two the server could grant the lock to another, who would run beside it. The warden is a fork of lockctl that
/// has the connection open as well. It sees lockctl's end, kills the command if the kernel has not yet, waits until it
/// has gone, and only then ends, and the connection with it. In a session of its own and deaf to all signals but KILL;
/// it has none of the standard streams.
class Warden {
 public:
  /// Made when the connection is there, and before the child executes. Throws std::system_error.
  explicit Warden(const Child& child);
  /// Ends it. The lock must have been given back, or the command have ended.
  ~Warden();
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }

 private:
  Pipe alive_;  // its write end is lockctl's alone: closed when that ends
  pid_t id_ = -1;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_WARDEN_H_
