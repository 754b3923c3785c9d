// What the kernel says about the time of a process.
#ifndef LOCKD_BENCH_PROCESS_TIMES_H_
#define LOCKD_BENCH_PROCESS_TIMES_H_

#include <sys/types.h>

#include <chrono>

namespace lockd::bench {

/// Processor time, user's and system's, of all threads of a process since it started. Throws where there is no such
/// process.
std::chrono::nanoseconds cpu_time_of(pid_t pid);

/// The same of the calling process.
std::chrono::nanoseconds own_cpu_time();

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_PROCESS_TIMES_H_
