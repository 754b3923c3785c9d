// Which of a virtual thread's sockets are ready.
#ifndef LOCKD_SIMULATOR_POLLER_H_
#define LOCKD_SIMULATOR_POLLER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "simulator/context.h"
#include "simulator/link.h"
#include "simulator/simulation.h"

namespace lockd::simulator {

/// As server::Poller does, it serves some sockets in a pass, with what it found when the pass began: how many of those
/// that are ready, and in which order, is drawn. Other threads, the network and time go on meanwhile.
class Poller {
 public:
  explicit Poller(Context& context) : context_(context) {}
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller() = default;

  /// The socket's server's end belongs to this thread.
  void watch(const std::shared_ptr<Link>& link) { links_.push_back(link); }

  /// The thread's loop is to make a pass. False where it is to already.
  bool wake();

  /// As server::Poller has it.
  std::uint64_t current_pass() const { return is_passing_ ? pass_count_ : 0; }

  /// The moment at which the current pass began; now where there is none.
  Simulation::Moment pass_began() const { return is_passing_ ? pass_began_ : simulation->now; }

 private:
  struct Event {
    std::shared_ptr<Link> link;
    Readiness found;
  };

  std::vector<Event> draw_events();
  void pass();

  Context& context_;
  std::vector<std::weak_ptr<Link>> links_;
  bool is_woken_ = false;
  bool is_passing_ = false;
  std::uint64_t pass_count_ = 0;
  Simulation::Moment pass_began_{};
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_POLLER_H_
