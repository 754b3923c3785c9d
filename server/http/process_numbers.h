// What the kernel knows of this process.
#ifndef LOCKD_SERVER_HTTP_PROCESS_NUMBERS_H_
#define LOCKD_SERVER_HTTP_PROCESS_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockd::server {

/// As Prometheus' own client libraries show them. A number that can't be had is 0.
struct ProcessNumbers {
  double cpu_seconds = 0;           // user and system time since the start
  double start_time_seconds = 0;    // since 1970
  std::uint64_t virtual_bytes = 0;  // of memory
  std::uint64_t resident_bytes = 0;
  std::uint64_t descriptors = 0;      // open now
  std::uint64_t descriptors_max = 0;  // the soft limit
};

/// Costs some system calls, however much memory or however many descriptors there are.
ProcessNumbers process_numbers();

/// Three of the fields of /proc/PID/stat (proc(5)).
struct ProcessStat {
  std::uint64_t start_ticks = 0;  // since the machine's boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

/// The process's name, which stands among the fields, may be anything. Nothing where this is no such text.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// How many entries a folder has, looking at `count_max` at most; 0 where it can't be read. For kernels that do not
/// tell the number of open descriptors as the size of /proc/self/fd (before Linux 6.2).
std::size_t count_entries(const std::string& folder, std::size_t count_max);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_PROCESS_NUMBERS_H_
