// Whether every I/O thread still gets round to what it is asked, for who would restart a server that hangs.
#ifndef LOCKD_SERVER_WATCHDOG_H_
#define LOCKD_SERVER_WATCHDOG_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <vector>

#include "server/pulse.h"

namespace lockd::server {

/// Asks all threads (Pulse) each half of a timeout, as long as it lives: whoever gives up after the timeout hears of
/// their answers in that time, unless a thread is stuck.
class Watchdog {
 public:
  /// threads: not empty; the first one's context has the timer. timeout: more than 0; to be kept it has to be many
  /// times Pulse::pause. all_answered: called on the first thread, whenever all have answered. The object goes after
  /// the contexts have run their last handler.
  Watchdog(const std::vector<boost::asio::io_context*>& threads, std::chrono::microseconds timeout,
           std::function<void()> all_answered);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() = default;

 private:
  boost::asio::awaitable<void> watch();

  std::chrono::microseconds period_;
  std::function<void()> all_answered_;
  boost::asio::steady_timer timer_;
  Pulse pulse_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WATCHDOG_H_
