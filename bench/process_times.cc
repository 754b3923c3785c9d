// Clocks of processes, and /proc/stat.
#include "bench/process_times.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

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

double CoreTicks::busy_since(const CoreTicks& earlier) const {
  const auto worked = static_cast<double>(busy - earlier.busy);
  const auto all = worked + static_cast<double>(idle - earlier.idle) + static_cast<double>(stolen - earlier.stolen);
  return all > 0 ? worked / all : 0;
}

CoreTicks core_ticks_of(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  std::array<unsigned long long, 8> ticks{};  // user nice system idle iowait irq softirq steal
  words >> name;
  for (auto& each : ticks) words >> each;
  if (!words) throw std::runtime_error("no line of a core: " + line);
  return {
      .busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], .idle = ticks[3] + ticks[4], .stolen = ticks[7]};
}

CoreTicks core_ticks(int core) {
  std::ifstream stat("/proc/stat");
  const std::string begin = "cpu" + std::to_string(core) + " ";
  for (std::string line; std::getline(stat, line);) {
    if (line.starts_with(begin)) return core_ticks_of(line);
  }
  throw std::runtime_error("/proc/stat knows no core " + std::to_string(core));
}

}  // namespace lockd::bench
