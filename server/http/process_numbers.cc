#include "server/http/process_numbers.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lockd::server {

namespace {

/// More than this is not counted on an old kernel: some 10 ms of one thread.
constexpr std::size_t descriptors_counted_max = 65'536;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double seconds_of_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

ProcessStat read_stat() {
  std::ostringstream text;
  text << std::ifstream("/proc/self/stat").rdbuf();
  return parse_process_stat(text.str()).value_or(ProcessStat{});
}

/// Computed once, so that it stays the same when the clock is set.
double start_time_seconds() {
  static const double seconds =
      seconds_of_clock(CLOCK_REALTIME) - seconds_of_clock(CLOCK_BOOTTIME) +
      static_cast<double>(read_stat().start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds;
}

std::uint64_t open_now() {
  const char* const folder = "/proc/self/fd";
  struct stat found{};
  if (::stat(folder, &found) == 0 && found.st_size > 0) return static_cast<std::uint64_t>(found.st_size);
  const std::size_t counted = count_entries(folder, descriptors_counted_max);
  return counted > 0 ? counted - 1 : 0;  // less the one that looks
}

}  // namespace

ProcessNumbers process_numbers() {
  ProcessNumbers numbers;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    numbers.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) numbers.descriptors_max = limit.rlim_cur;
  const ProcessStat stat = read_stat();
  numbers.start_time_seconds = start_time_seconds();
  numbers.virtual_bytes = stat.virtual_bytes;
  numbers.resident_bytes = stat.resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  numbers.descriptors = open_now();
  return numbers;
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  constexpr int first_field = 3;  // behind the name, which ends at the last parenthesis
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream rest{std::string(text.substr(name_end + 1))};
  ProcessStat stat;
  std::string word;
  for (int field = first_field; rest >> word; ++field) {
    std::uint64_t* const wanted = field == 22   ? &stat.start_ticks
                                  : field == 23 ? &stat.virtual_bytes
                                  : field == 24 ? &stat.resident_pages
                                                : nullptr;
    if (wanted == nullptr) continue;
    if (std::from_chars(word.data(), word.data() + word.size(), *wanted).ec != std::errc()) return std::nullopt;
    if (field == 24) return stat;
  }
  return std::nullopt;
}

std::size_t count_entries(const std::string& folder, std::size_t count_max) {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end && count < count_max;
       at.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace lockd::server
