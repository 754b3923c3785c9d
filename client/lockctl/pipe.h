// A pipe of lockctl's own, which no program that it executes has.
#ifndef LOCKD_CLIENT_LOCKCTL_PIPE_H_
#define LOCKD_CLIENT_LOCKCTL_PIPE_H_

#include "client/descriptor.h"

namespace lockd::lockctl {

/// The two ends of a pipe, both closed by exec.
struct Pipe {
  Pipe();  // throws std::system_error
  Descriptor read_end;
  Descriptor write_end;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_PIPE_H_
