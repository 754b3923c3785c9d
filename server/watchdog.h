// Whether every I/O thread still gets round to what it is asked.
#ifndef LOCKD_SERVER_WATCHDOG_H_
#define LOCKD_SERVER_WATCHDOG_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace lockd::server {

/// Asks all threads for a sign of life, each by a handler posted to its context.
class RollCall {
 public:
  /// all_answered: called by the last thread to answer a call, once for each call that all have answered. The contexts
  /// run no handler any more when this object goes.
  RollCall(std::vector<boost::asio::io_context*> threads, std::function<void()> all_answered);

  /// Asks all, unless somebody still owes his answer to the last call. By one thread at a time.
  void call();

 private:
  void answer();

  std::vector<boost::asio::io_context*> threads_;
  std::function<void()> all_answered_;
  std::atomic<std::size_t> missing_{0};  // of the last call
};

/// A roll call each half of a timeout, as long as it lives: whoever gives up after the timeout hears of two in that
/// time, unless a thread is stuck.
class Watchdog {
 public:
  /// threads: not empty; the first one's context has the timer. timeout: more than 0. As RollCall, it goes after the
  /// contexts have run their last handler.
  Watchdog(std::vector<boost::asio::io_context*> threads, std::chrono::microseconds timeout,
           std::function<void()> all_answered);

 private:
  void wait();

  std::chrono::microseconds period_;
  boost::asio::steady_timer timer_;
  RollCall roll_call_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WATCHDOG_H_
