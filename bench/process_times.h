// What the kernel says about the time of a process and of a core.
#ifndef LOCKD_BENCH_PROCESS_TIMES_H_
#define LOCKD_BENCH_PROCESS_TIMES_H_

#include <sys/types.h>

#include <chrono>
#include <string>

namespace lockd::bench {

/// Processor time, user's and system's, of all threads of a process since it started. Throws where there is no such
/// process.
std::chrono::nanoseconds cpu_time_of(pid_t pid);

/// The same of the calling process.
std::chrono::nanoseconds own_cpu_time();

/// Of one core since the machine started, in ticks of 10 ms as a rule.
struct CoreTicks {
  unsigned long long busy = 0;    // whoever it worked for
  unsigned long long idle = 0;    // waiting for a disk included
  unsigned long long stolen = 0;  // by the hypervisor, for others

  /// Of the time since `earlier` the part in which the core worked; 0 where no time has passed.
  double busy_since(const CoreTicks& earlier) const;
};

/// Throws where /proc/stat knows no such core.
CoreTicks core_ticks(int core);

/// The same, read from a line of /proc/stat.
CoreTicks core_ticks_of(const std::string& line);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_PROCESS_TIMES_H_
