// sys/pidfd.h for C++: glibc 2.36 declares its functions without saying that they are C's.
#ifndef LOCKD_CLIENT_LOCKCTL_PIDFD_H_
#define LOCKD_CLIENT_LOCKCTL_PIDFD_H_

#include <sys/types.h>  // ahead of it, so that what it includes itself is not C's

#include <csignal>

extern "C" {
#include <sys/pidfd.h>
}

#endif  // LOCKD_CLIENT_LOCKCTL_PIDFD_H_
