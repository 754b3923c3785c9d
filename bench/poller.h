// Waiting for many channels at once.
#ifndef LOCKD_BENCH_POLLER_H_
#define LOCKD_BENCH_POLLER_H_

#include <cstddef>
#include <functional>

#include "bench/socket.h"

namespace lockd::bench {

/// An epoll instance, edge-triggered for both directions. For one thread.
class Poller {
 public:
  using Ready = std::function<void(std::size_t number)>;

  Poller();

  /// Watches it until it is closed; `number` is what wait() will call it.
  void add(const Socket& socket, std::size_t number);
  /// Waits for events, once, and calls `ready` with the number of each channel that has one. Throws where none comes
  /// for 60 s.
  void wait(const Ready& ready);
  /// The same without waiting: how many had one.
  std::size_t poll(const Ready& ready);

 private:
  std::size_t wait_for(int timeout_ms, const Ready& ready);

  Socket epoll_;
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_POLLER_H_
