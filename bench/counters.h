// The reply to `q` (L3), read as a client reads it.
#ifndef LOCKD_BENCH_COUNTERS_H_
#define LOCKD_BENCH_COUNTERS_H_

#include <cstdint>
#include <functional>
#include <string>

namespace lockd::bench {

/// Those of the counters that say what is open and held.
struct Counters {
  std::uint64_t connections = 0;
  std::uint64_t locks = 0;
  std::uint64_t shared_locks = 0;
  std::uint64_t orphans = 0;
  std::uint64_t shared_orphans = 0;

  friend bool operator==(const Counters&, const Counters&) = default;
};

/// Reads one reply from `read_line`, which returns the next line without its LF: up to `shared_orphans`, which L3 puts
/// last. Throws std::runtime_error on a line that is no `NAME: NUMBER`, on names out of order and where one of the five
/// is missing.
Counters read_counters(const std::function<std::string()>& read_line);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_COUNTERS_H_
