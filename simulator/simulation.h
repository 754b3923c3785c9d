// What all parts of one simulated run share: its chance, its clock, its virtual threads, its trace and its tally.
#ifndef LOCKD_SIMULATOR_SIMULATION_H_
#define LOCKD_SIMULATOR_SIMULATION_H_

#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "simulator/fibers.h"
#include "simulator/random.h"

namespace lockd::simulator {

class Context;
class Mutex;

/// The server did what it must not do.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool is_so, const std::string& otherwise) {
  if (!is_so) throw Failure(otherwise);
}

/// How often what happened, by name.
using Tally = std::map<std::string, std::uint64_t, std::less<>>;

/// What went on, one line each, as a hash of all lines and, if there is a file, in it.
class Trace {
 public:
  explicit Trace(std::FILE* file) : file_(file) {}

  /// who and how_many: a fiber, a session, bytes; what the line is about, in that order.
  void note(std::string_view what, std::uint64_t who = 0, std::uint64_t how_many = 0, std::string_view text = {});

  std::uint64_t hash() const { return hash_; }
  std::uint64_t lines() const { return lines_; }

 private:
  void mix(std::uint64_t number) { hash_ = (hash_ ^ number) * 0x9E3779B97F4A7C15 + (hash_ >> 29); }
  void mix(std::string_view bytes);

  std::FILE* file_;
  std::uint64_t hash_ = 0;
  std::uint64_t lines_ = 0;
};

/// The faults that can be planted, by name; with `none` the server is as it is. See faults.cc.
using FaultName = std::string_view;

/// One run. There is one at a time, and `simulation` is it: mutexes and clocks cannot be told whose they are.
struct Simulation {
  using Moment = std::chrono::steady_clock::time_point;
  using Handler = std::function<void(const boost::system::error_code&)>;

  Simulation(std::uint64_t seed, std::FILE* trace_file, FaultName planted);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  /// A pending wait of a timer.
  struct Alarm {
    Moment at;
    Context* context;
    Handler handler;
  };

  /// Where another virtual thread may take over. Nothing outside of fibers.
  void switch_point();

  void count(std::string_view what, std::uint64_t times = 1);

  Random random;
  Trace trace;
  Fibers fibers;
  Tally tally;
  Moment now = Moment(std::chrono::hours(1000));
  std::map<std::uint64_t, Alarm> alarms;  // by the order of their beginning
  std::uint64_t alarms_begun = 0;
  std::map<std::size_t, Mutex*> blocked;  // fibers, each at the mutex for which it waits
  std::size_t mutexes_held = 0;
  std::function<void()> ahead_of_a_socket = [] {};  // of a pass: the world looks at what the sockets before it did
  FaultName fault;                                  // planted
};

inline Simulation* simulation = nullptr;

/// Whether this fault is planted in the server of this run.
inline bool is_planted(FaultName fault) { return simulation->fault == fault; }

/// The clock that sessions, timers and the queue of ends see.
struct Clock : std::chrono::steady_clock {
  static time_point now() noexcept { return simulation->now; }
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_SIMULATION_H_
