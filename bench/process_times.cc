// Clocks of processes.
#include "bench/process_times.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "bench/socket.h"

namespace lockd::bench {

std::chrono::nanoseconds cpu_time_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    errno = error;
    throw_errno("the server's processor time");
  }
  if (clock_gettime(clock, &time) != 0) throw_errno("the server's processor time");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::chrono::nanoseconds own_cpu_time() { return cpu_time_of(::getpid()); }

}  // namespace lockd::bench
