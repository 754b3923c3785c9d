#include "client/lockctl/supervisor.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "client/lockctl/exit_status.h"
#include "client/lockctl/output.h"
#include "client/lockctl/process_tree.h"
#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

/// Between two looks at who is still there after KILL was sent: most go at once, and who sleeps in the kernel may stay.
constexpr int killing_interval_ms_min = 10;
constexpr int killing_interval_ms_max = 1000;

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? exit_status::signal_base + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// What a terminal sends goes to the whole foreground process group, lockctl's and so the command's, but for the end of
/// the terminal itself, of which the leader of its session alone is told.
bool is_hangup(int number) { return (number == SIGHUP || number == SIGCONT) && ::getsid(0) == ::getpid(); }

/// As shells have it: 127 for what is not there, 126 for what can't be executed.
int report_exec(const std::string& name, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return report({missing ? exit_status::not_found : exit_status::not_executable,
                 "lockctl: " + printable(name) + ": " + std::generic_category().message(error)});
}

/// Whether a line can be written to stderr without waiting for whoever reads it.
bool stderr_takes_a_line() {
  pollfd watched = {STDERR_FILENO, POLLOUT, 0};
  return ::poll(&watched, 1, 0) == 1;
}

}  // namespace

Supervisor::Supervisor(Child& child, SignalQueue& signals, const Loss& loss, std::chrono::milliseconds kill_after)
    : child_(child), signals_(signals), loss_(loss), kill_after_(kill_after) {}

Ended Supervisor::run(const std::string& name) {
  if (loss_.happened()) {
    complain("lockctl: the lock was lost: " + loss_.reason() + "; the command was not started");
    return {exit_status::lost, true};
  }
  if (const int error = child_.execute(); error != 0) return {report_exec(name, error), false};
  return wait();
}

Ended Supervisor::wait() {
  while (!is_over()) {
    sleep_until_something_happens();
    take_signals();
    reap();
    if (!status_ && !ending_ && loss_.happened()) end_the_command();
    if (ending_ && Clock::now() >= kill_at_) {
      killing_interval_ms_ = std::clamp(2 * killing_interval_ms_, killing_interval_ms_min, killing_interval_ms_max);
      signal_all(SIGKILL);
    }
  }
  if (ending_ && !has_complained_) complain_of_the_loss();
  return {ending_ ? exit_status::lost : *status_, ending_};
}

bool Supervisor::is_over() const { return status_ && (!ending_ || !has_descendants(session_)); }

int Supervisor::poll_timeout_ms() const {
  if (killing_interval_ms_ > 0) return killing_interval_ms_;
  if (!ending_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(kill_at_ - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

void Supervisor::sleep_until_something_happens() {
  std::array<pollfd, 2> watched = {{{signals_.descriptor(), POLLIN, 0}, {loss_.descriptor(), POLLIN, 0}}};
  ::poll(watched.data(), ending_ ? 1 : 2, poll_timeout_ms());  // EINTR is a reason to look, too
}

void Supervisor::take_signals() {
  while (const auto arrived = signals_.take()) {
    const bool is_for_it = arrived->number != SIGCHLD && !status_ && !has_reached_the_command(*arrived);
    if (is_for_it) ::kill(child_.id(), arrived->number);  // whose number is its own until it is reaped, below
  }
}

/// What the command sends to its own process group (`kill 0` in a script), or its descendants in that group do, comes
/// to lockctl, too: passed on it would be there twice.
bool Supervisor::has_reached_the_command(const Arrived& arrived) const {
  if (arrived.from_kernel) return !is_hangup(arrived.number);
  return arrived.sender > 0 && ::getpgid(arrived.sender) == ::getpgrp() &&
         descends(processes(), arrived.sender, ::getpid());
}

void Supervisor::reap() {
  int wait_status = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &wait_status, WNOHANG)) > 0;) {
    if (ended != child_.id()) continue;  // left to us by its parent
    status_ = status_of(wait_status);
    if (!ending_) return;
  }
}

void Supervisor::end_the_command() {
  ending_ = true;
  session_ = ::getsid(child_.id());
  kill_at_ = Clock::now() + kill_after_;
  signal_all(SIGTERM);
  signal_all(SIGCONT);
  if (stderr_takes_a_line()) complain_of_the_loss();
}

void Supervisor::complain_of_the_loss() {
  has_complained_ = true;
  complain("lockctl: the lock was lost: " + loss_.reason() + "; ending the command");
}

void Supervisor::signal_all(int number) {
  if (!signal_descendants(session_, number) && !status_) ::kill(child_.id(), number);
}

}  // namespace lockd::lockctl
