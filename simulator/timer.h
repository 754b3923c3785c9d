// A timer of virtual time.
#ifndef LOCKD_SIMULATOR_TIMER_H_
#define LOCKD_SIMULATOR_TIMER_H_

#include <boost/asio/error.hpp>
#include <cstdint>
#include <utility>

#include "simulator/context.h"
#include "simulator/simulation.h"

namespace lockd::simulator {

/// What server::Deadlines uses of boost::asio::steady_timer. A wait that is canceled has its handler called with an
/// error, one that has fired already, without (fire()): the handler may come long after.
class Timer {
 public:
  using clock_type = Clock;  // NOLINT(readability-identifier-naming): as Asio names it
  using Moment = Simulation::Moment;

  explicit Timer(Context& context) : context_(context) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  Moment expiry() const { return expiry_; }

  void expires_at(Moment at) {
    cancel();
    expiry_ = at;
  }
  void expires_after(Clock::duration delay) { expires_at(Clock::now() + delay); }

  template <class Handler>
  void async_wait(Handler handler) {
    require(!simulation->alarms.contains(alarm_), "two waits for one timer");
    alarm_ = ++simulation->alarms_begun;
    simulation->alarms.emplace(alarm_, Simulation::Alarm{expiry_, &context_, std::move(handler)});
  }

  /// The handler of a pending wait goes to its thread.
  static void fire(std::uint64_t alarm) { post(alarm, {}); }

 private:
  void cancel() const {
    if (simulation != nullptr && simulation->alarms.contains(alarm_))
      post(alarm_, boost::asio::error::operation_aborted);
  }

  static void post(std::uint64_t number, boost::system::error_code error) {
    const auto alarm = simulation->alarms.extract(number);
    alarm.mapped().context->push([handler = std::move(alarm.mapped().handler), error] { handler(error); });
  }

  Context& context_;
  Moment expiry_{};
  std::uint64_t alarm_ = 0;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_TIMER_H_
