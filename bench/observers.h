// Those who look on while the holders of bench/orphans take and drop: an innocent client that measures its round trip,
// one that reads `q` in a loop and one that reads `dump` in a loop. Each has a connection and a thread of its own, from
// its construction to finish() or its end. Constructors and destructors apart, their functions may be called from any
// thread.
#ifndef LOCKD_BENCH_OBSERVERS_H_
#define LOCKD_BENCH_OBSERVERS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "bench/counters.h"
#include "bench/latency.h"
#include "bench/lock_plan.h"
#include "bench/phase.h"
#include "bench/socket.h"

namespace lockd::bench {

using Clock = std::chrono::steady_clock;

/// A thread that calls `step` again and again, until it is stopped or `step` throws.
class Repeater {
 public:
  explicit Repeater(std::function<void()> step);

  /// Whether `step` has thrown.
  bool failed() const { return failed_; }
  /// Stops after the step in progress, and throws what `step` threw.
  void finish();

 private:
  std::exception_ptr failure_;
  std::atomic<bool> failed_ = false;
  std::jthread thread_;
};

/// Asks `i KEY` 2,000 times a second, a new key each time so that every part of the lock table has its turn. It does
/// not wait for a reply before it asks again: a stall is seen by each request that falls into it, and not stretched by
/// requests that queue at the client. A round trip counts in the phase in which it began and in the one in which it
/// ended.
class Innocent {
 public:
  Innocent(std::uint16_t port, const SharedPhase& phase);

  /// Waits until all that was asked before this call is answered, a minute at most.
  void catch_up() const;
  /// Ends the measuring: the round trips of the phases that are reported.
  std::array<LatencySummary, phase_names.size()> finish();

 private:
  struct Request {
    Clock::time_point sent_at;
    Phase phase = Phase::between;
    std::string key;
  };

  void step();
  void ask();
  void take_reply();

  const SharedPhase& phase_;
  LineClient client_;
  Clock::time_point due_ = Clock::now();
  std::size_t asked_ = 0;
  std::deque<Request> under_way_;
  std::atomic<Clock::time_point> answered_until_ = due_;  // what was sent by then is answered
  std::array<LatencySamples, phase_names.size() + 1> samples_;
  Repeater repeater_{[this] { step(); }};
};

/// Reads `q` about a thousand times a second.
class CounterWatch {
 public:
  explicit CounterWatch(std::uint16_t port);

  /// Waits for a reply that was asked for after this call and satisfies `wanted`: when it was there, and what it said.
  /// Throws after a minute, and where reading has failed.
  std::pair<Clock::time_point, Counters> wait_for(const std::function<bool(const Counters&)>& wanted);
  /// Ends the reading: how many replies there were.
  std::size_t finish();

 private:
  void step();

  LineClient client_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::size_t replies_ = 0;  // under mutex_, as the next two
  Clock::time_point last_reply_at_;
  Counters last_;
  Repeater repeater_{[this] { step(); }};
};

/// Reads `dump` and `dump shared` in turn.
class DumpReader {
 public:
  struct Tally {
    std::size_t dumps = 0;
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;
    /// Dumps of each kind that began and ended in Phase::holding, ...
    std::array<std::size_t, 2> whole{};
    /// ... and how many of those, of both kinds, did not show each lock of `plan` once (L5).
    std::size_t wrong = 0;
  };

  DumpReader(std::uint16_t port, const LockPlan& plan, const SharedPhase& phase);

  Tally tally();
  /// While the result lives no dump is under way.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(reading_); }
  /// Ends the reading.
  Tally finish();

 private:
  void step();
  void count(bool shared, const std::string& dump, bool whole);

  const LockPlan& plan_;
  const SharedPhase& phase_;
  LineClient client_;
  std::mutex reading_;  // held from a request to the end of its reply
  std::mutex mutex_;
  Tally tally_;  // under mutex_
  Repeater repeater_{[this] { step(); }};
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_OBSERVERS_H_
