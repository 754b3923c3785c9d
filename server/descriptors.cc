#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace lockd::server {

namespace {

/// S4: for listeners, epoll, timers, the log, and those who are told that there are too many.
constexpr std::size_t reserved_descriptors = 64;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;  // POSIX systems start with no less
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur;
}

std::size_t default_connections_max() {
  return std::max(raise_descriptor_limit(), reserved_descriptors + 1) - reserved_descriptors;
}

}  // namespace lockd::server
