// What is counted of the requests.
#ifndef LOCKD_SERVER_STATISTICS_H_
#define LOCKD_SERVER_STATISTICS_H_

#include <array>
#include <atomic>
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

/// The counters of one thread; on cache lines of their own. Whoever shows them sums over the threads.
struct alignas(64) Statistics {
  std::array<Counter, verb_count> commands;  // L3: by verb, counted before the command is executed
  Counter invalid_commands;                  // F8
  Counter bad_arguments;                     // F9
  Counter lines_too_long;                    // F6
  Counter inputs_too_much;                   // W2
  Counter browsers;                          // F11
  Counter refusals;                          // gets that got nothing at once: X1, C1, S5, W7, T1
  Counter timeouts;                          // W1, C2
  Counter cancels;                           // W9
  Counter deadlocks;                         // W6
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_STATISTICS_H_
