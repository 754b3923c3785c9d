// The real session, with somebody who watches each call: what went in, what came out.
#ifndef LOCKD_SIMULATOR_WATCHED_SESSION_H_
#define LOCKD_SIMULATOR_WATCHED_SESSION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "server/session.h"
#include "simulator/mutex.h"
#include "simulator/virtual_edge.h"
#include "simulator/watched_table.h"

namespace lockd::simulator {

enum class SessionCall : std::uint8_t { receive, go_on, wake, time_out, finish };

/// One call of a session, which is over.
struct SessionStep {
  SessionCall call;
  SessionId session;
  std::string_view bytes;    // of receive
  std::string_view written;  // to its output
  std::uint64_t executed;    // requests
  server::Next before;
  server::Next next;
  Simulation::Moment began;
  engine::Moment clock;  // as the session was told it
};

class SessionWatch {
 public:
  virtual ~SessionWatch() = default;
  virtual void begins(SessionId session, const std::string& address) = 0;
  virtual void called(const SessionStep& step) = 0;
  virtual void ends(SessionId session) = 0;
  virtual void has_ended(SessionId session) = 0;

  /// The connections' watch, and how many locks a slice of an end releases at most: fewer than in production, where
  /// sessions hold more.
  static inline SessionWatch* watch = nullptr;
  static inline std::size_t slice_locks_max = 128;

 protected:
  SessionWatch() = default;
  SessionWatch(const SessionWatch&) = default;
  SessionWatch& operator=(const SessionWatch&) = default;
};

/// Requests that sessions of this thread have executed so far: each is counted in one of these.
inline std::uint64_t executed(const server::Statistics& counted) {
  std::uint64_t sum = counted.invalid_commands.value() + counted.bad_arguments.value() +
                      counted.lines_too_long.value() + counted.browsers.value();
  for (const auto& command : counted.commands) sum += command.value();
  return sum;
}

}  // namespace lockd::simulator

/// A worker of EdgeMutex gives its sessions the services of SessionMutex.
template <>
struct lockd::server::Services<lockd::simulator::EdgeMutex> : lockd::server::Services<lockd::simulator::SessionMutex> {
};

/// What connections of EdgeMutex drive: server::Session<SessionMutex>, every call of it, and what the watch says to
/// that.
template <>
class lockd::server::Session<lockd::simulator::EdgeMutex> {
 public:
  using GivenServices = Services<simulator::EdgeMutex>;
  using Watch = simulator::SessionWatch;
  using Call = simulator::SessionCall;

  Session(SessionId id, const std::string& address, const GivenServices& services, std::uint32_t home)
      : session_(id, address, services, home) {
    Watch::watch->begins(id, address);
  }

  Next receive(std::string_view bytes, const GivenServices& services, std::string& out) {
    return watched(Call::receive, bytes, services, out, [&] { return session_.receive(bytes, services, out); });
  }
  Next go_on(const GivenServices& services, std::string& out) {
    return watched(Call::go_on, {}, services, out, [&] { return session_.go_on(services, out); });
  }
  Next wake(const Answer& answer, const GivenServices& services, std::string& out) {
    return watched(Call::wake, {}, services, out, [&] { return session_.wake(answer, services, out); });
  }
  Next time_out(const GivenServices& services, std::string& out) {
    return watched(Call::time_out, {}, services, out, [&] { return session_.time_out(services, out); });
  }
  Next finish() {
    const Next before = std::exchange(next_, session_.finish());
    Watch::watch->called({Call::finish, id(), {}, {}, 0, before, next_, simulator::Clock::now(), {}});
    return next_;
  }

  bool end_some(const GivenServices& services, std::size_t budget) {
    if (!std::exchange(ends_, true)) Watch::watch->ends(id());
    const bool is_over = session_.end_some(services, std::min(budget, Watch::slice_locks_max));
    if (is_over) Watch::watch->has_ended(id());
    return is_over;
  }

  SessionId id() const { return session_.id(); }
  engine::Moment deadline() const { return session_.deadline(); }

 private:
  template <class Act>
  Next watched(Call call, std::string_view bytes, const GivenServices& services, std::string& out, Act act) {
    const std::string given(bytes);  // the thread's buffer, and `out`, may be others' after the call
    const std::size_t written_before = out.size();
    const std::uint64_t executed_before = simulator::executed(services.statistics);
    const auto began = simulator::Clock::now();
    const engine::Moment clock = services.turn.now;
    const Next before = std::exchange(next_, act());
    Watch::watch->called({call, id(), given, std::string_view(out).substr(written_before),
                          simulator::executed(services.statistics) - executed_before, before, next_, began, clock});
    return next_;
  }

  Session<simulator::SessionMutex> session_;
  Next next_ = Next::read;
  bool ends_ = false;
};

#endif  // LOCKD_SIMULATOR_WATCHED_SESSION_H_
