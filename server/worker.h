// One I/O thread: what the connections that live on it share.
#ifndef LOCKD_SERVER_WORKER_H_
#define LOCKD_SERVER_WORKER_H_

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/deadlines.h"
#include "server/edge.h"
#include "server/end_queue.h"
#include "server/mailbox.h"
#include "server/pump.h"
#include "server/services.h"
#include "server/spare_buffer.h"
#include "server/throttle.h"

namespace lockd::server {

/// A connection never reads more than this at once, so that no turn executes more (design: turns of 64 KiB).
inline constexpr std::size_t read_bytes_max = 64 * 1024;

/// So much input is executed in a few hundred microseconds, against which to read the clock costs nothing.
inline constexpr std::size_t input_bytes_of_a_moment = 16 * 1024;

/// Of one I/O thread, and used by it alone, but for the context's and the mailbox's own thread-safe calls. Does not
/// move: others know its address.
template <class Mutex>
struct Worker {
  using Context = typename Edge<Mutex>::Context;
  using Clock = typename Edge<Mutex>::Timer::clock_type;
  using Expiries = Deadlines<Pump, typename Edge<Mutex>::Timer>;

  Worker(const Services<Mutex>& thread_services, std::chrono::seconds timeout, std::uint32_t index = 0)
      : services(thread_services), peer_timeout(timeout), home(index) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { is_stopped = true; }

  /// For a call to a session, which is given so many bytes of input: the clock is set. Within a pass over sockets it is
  /// read once, and again when the sessions have been given input_bytes_of_a_moment since: what a session sees is older
  /// by the time that it takes to execute so much and one read.
  const Services<Mutex>& services_now(std::size_t input_bytes = 0) {
    services.turn.wait_begun = false;
    const std::uint64_t pass = poller.current_pass();
    if (pass == 0 || pass != clock_read_in_ || input_bytes_since_ >= input_bytes_of_a_moment) {
      services.turn.now = now();
      input_bytes_since_ = 0;
    }
    clock_read_in_ = pass;
    input_bytes_since_ += input_bytes;
    return services;
  }

  /// After a call to a session: those whom it let through are told, wherever they live (W4).
  void bring_wakeups() {
    for (const engine::Wakeup& wakeup : services.turn.woken) team[wakeup.home]->mailbox.post(wakeup);
    services.turn.woken.clear();
  }

  /// To a session of this thread; nobody else's if it has ended.
  void deliver(const engine::Wakeup& wakeup) {
    const auto found = waiting.find(wakeup.session);
    if (found != waiting.end()) found->second->wake(wakeup.answer);
  }

  static engine::Moment now() {
    const auto since_start = Clock::now().time_since_epoch();
    return static_cast<engine::Moment>(std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count());
  }

  Services<Mutex> services;
  std::chrono::seconds peer_timeout;
  std::uint32_t home;               // its place in the team
  std::vector<Worker*> team{this};  // all I/O threads
  bool is_stopped = false;          // S6: its connections go, whether their sessions have ended or not

  std::array<char, read_bytes_max> input{};  // read into by whichever connection has its turn, and empty again after it
  std::string output;                        // the same, for replies
  std::string line;                          // the same, for a request of a WebSocket
  std::vector<std::size_t> reply_ends;       // and where in `output` its replies end
  SpareBuffer spare_outbox;                  // and for what of them is to be sent

  Throttle handshake_log;  // of handshakes that are refused

  boost::unordered_flat_map<SessionId, Pump*> waiting;  // those whose sessions wait, as long as they do

  // Last, so that they go first: pending handlers and the entries of the queue own the connections.
  Context context{1};  // one thread runs it; the hint spares it some locking
  EndQueue<Pump, Context> ends{context, Clock::now};
  Mailbox<Mutex, Context> mailbox{context, [this](const engine::Wakeup& wakeup) { deliver(wakeup); }};
  Expiries expiries{context};
  typename Edge<Mutex>::Poller poller{context};
  std::uint64_t clock_read_in_ = 0;    // this pass of the poller
  std::size_t input_bytes_since_ = 0;  // in that pass
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WORKER_H_
