// What is counted of the requests.
#ifndef LOCKD_SERVER_STATISTICS_H_
#define LOCKD_SERVER_STATISTICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "model/types.h"

namespace lockd::server {

/// A counter that one thread counts up and any thread may read; copyable, so that what holds it is.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) : value_(other.value()) {}
  Counter& operator=(const Counter&) = delete;
  ~Counter() = default;

  void count() { value_.store(value() + 1, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Why a get ended without the lock.
enum class Failure : std::uint8_t {
  busy,
  timeout,
  canceled,
  deadlock,
  too_many_locks,
  too_many_waiters,
  out_of_tokens
};
inline constexpr std::size_t failure_count = 7;

/// The counters of one thread; on cache lines of their own. Whoever shows them sums over the threads.
struct alignas(64) Statistics {
  std::array<Counter, verb_count> commands;                       // L3: by verb, counted before the command is executed
  Counter invalid_commands;                                       // F8
  Counter bad_arguments;                                          // F9
  Counter lines_too_long;                                         // F6
  Counter inputs_too_much;                                        // W2
  Counter browsers;                                               // F11
  std::array<std::array<Counter, failure_count>, 2> failed_gets;  // by LockKind and Failure
  Counter dropped_connections;                                    // for which there was no memory
  Counter refused_handshakes;                                     // of WebSockets, but for the next
  Counter refused_origins;                                        // pages that may not connect

  std::uint64_t failed(LockKind kind, Failure why) const {
    return failed_gets[static_cast<std::size_t>(kind)][static_cast<std::size_t>(why)].value();
  }
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_STATISTICS_H_
