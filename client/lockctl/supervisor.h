// From the start of the command to its end: signals are passed on to it, and it is ended where its lock is lost.
#ifndef LOCKD_CLIENT_LOCKCTL_SUPERVISOR_H_
#define LOCKD_CLIENT_LOCKCTL_SUPERVISOR_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "client/lockctl/child.h"
#include "client/lockctl/loss.h"
#include "client/lockctl/signals.h"

namespace lockd::lockctl {

/// How a command ended.
struct Ended {
  int status = 0;          // as a shell has it, or exit_status::lost
  bool lost = false;       // it was ended, or not even started, because the lock was lost
  bool by_signal = false;  // and not by a status of its own, which may be above 128 as well
};

/// One command under its lock. By the main thread alone.
class Supervisor {
 public:
  /// All of them outlive it. keep_orphans() must have been called before the child was made.
  Supervisor(Child& child, SignalQueue& signals, const Loss& loss, std::chrono::milliseconds kill_after);

  /// Lets the child execute `name`, unless the lock is lost already, and returns when it has ended. If the lock is lost
  /// before, sends TERM (and CONT, in case that it is stopped) to the command and to all that it has started (but what
  /// has made itself a session of its own), KILL to those who are still there after `kill_after`, and waits for all of
  /// them. Says so on stderr, which is not waited for before the command has ended.
  /// When the command has stopped, and not before, lockctl stops as well (TSTP) if it has a terminal, and so maybe a
  /// shell whose job it is. Continued, it passes that on. The terminal, where the command's own process group has it in
  /// the end, is given back to lockctl's.
  Ended run(const std::string& name);

 private:
  using Clock = std::chrono::steady_clock;

  Ended wait();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_for_the_command(const Arrived& arrived) const;
  [[nodiscard]] bool may_be_stopped() const;
  [[nodiscard]] bool has_reached_the_command(const Arrived& arrived) const;
  [[nodiscard]] int poll_timeout_ms() const;
  void sleep_until_something_happens();
  void take_signals();
  void pass_on(const Arrived& arrived);
  void reap();
  std::optional<int> wait_for_children();
  void end_the_command();
  void complain_of_the_loss();
  void signal_all(int number);

  Child& child_;
  SignalQueue& signals_;
  const Loss& loss_;
  std::chrono::milliseconds kill_after_;

  std::optional<Ended> ended_;   // how the child has, once it has
  bool ending_ = false;          // the lock is lost, and TERM was sent
  int killing_interval_ms_ = 0;  // KILL, too: between two looks at who is still there
  bool has_complained_ = false;
  Clock::time_point kill_at_;
  pid_t session_ = -1;  // the child's when the lock was lost
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_SUPERVISOR_H_
