// The command that runs while its lock is held, as a process.
#ifndef LOCKD_CLIENT_LOCKCTL_CHILD_H_
#define LOCKD_CLIENT_LOCKCTL_CHILD_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "client/lockctl/pipe.h"
#include "client/lockctl/signals.h"

namespace lockd::lockctl {

/// What is to be executed: found by PATH unless its name holds a slash, by /bin/sh where it is a script that names no
/// interpreter.
struct Program {
  std::vector<std::string> arguments;                            // not empty; the first one names it
  std::vector<std::pair<std::string, std::string>> environment;  // added to the process's own
};

/// A child process in lockctl's own process group, so that a terminal's keys reach it as they reach lockctl. It has
/// lockctl's standard streams and signals as `caller` had them, no descriptor of lockctl's own, and is killed by the
/// kernel in the moment in which lockctl's main thread ends, however that happens.
class Child {
 public:
  /// Makes the process, which then waits for execute(). By the main thread. Throws std::system_error.
  Child(const Program& program, const CallerSignals& caller);

  [[nodiscard]] pid_t id() const { return id_; }
  /// Becomes readable when the process has ended, also to other processes.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// Lets it execute the program. Returns 0, or the errno of the failure; the process ends then by itself.
  int execute();

 private:
  Pipe go_;       // a byte in it: execute
  Pipe failure_;  // the errno of exec, or its end
  pid_t id_ = -1;
  Descriptor pidfd_;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_CHILD_H_
