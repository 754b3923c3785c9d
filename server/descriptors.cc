#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

namespace lockd::server {

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;  // POSIX systems start with no less
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur;
}

std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all))) - 1;  // less the one that looks
}

std::size_t room_for_connections(std::size_t limit, std::size_t needed_otherwise) {
  constexpr std::size_t reserved = 64;  // listeners, epoll, timers, the log, those who are told that there are too many
  const std::size_t taken = std::max(reserved, needed_otherwise);
  return limit - std::min(limit, taken);
}

}  // namespace lockd::server
