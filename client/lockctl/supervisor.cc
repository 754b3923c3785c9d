#include "client/lockctl/supervisor.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "client/lockctl/exit_status.h"
#include "client/lockctl/output.h"
#include "client/lockctl/process_tree.h"

namespace lockd::lockctl {

namespace {

/// Between two looks at who is still there after KILL was sent.
constexpr int killing_interval_ms = 10;

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? exit_status::signal_base + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// What a terminal sends goes to the whole foreground process group, lockctl's and so the command's, but for the end of
/// the terminal itself, of which the leader of its session alone is told.
bool is_hangup(int number) { return (number == SIGHUP || number == SIGCONT) && ::getsid(0) == ::getpid(); }

/// Whether a line can be written to stderr without waiting for whoever reads it.
bool stderr_takes_a_line() {
  pollfd watched = {STDERR_FILENO, POLLOUT, 0};
  return ::poll(&watched, 1, 0) == 1;
}

}  // namespace

Supervisor::Supervisor(const Child& child, SignalQueue& signals, const Loss& loss, std::chrono::milliseconds kill_after)
    : child_(child), signals_(signals), loss_(loss), kill_after_(kill_after) {}

Ended Supervisor::wait() {
  while (!is_over()) {
    sleep_until_something_happens();
    take_signals();
    reap();
    if (!status_ && !ending_ && loss_.happened()) end_the_command();
    if (ending_ && Clock::now() >= kill_at_) {
      killing_ = true;
      signal_all(SIGKILL);
    }
  }
  if (ending_ && !has_complained_) complain_of_the_loss();
  return {*status_, ending_};
}

bool Supervisor::is_over() const { return status_ && (!ending_ || !has_descendants(session_)); }

int Supervisor::poll_timeout_ms() const {
  if (killing_) return killing_interval_ms;
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
    const bool has_it = arrived->number == SIGCHLD || (arrived->from_kernel && !is_hangup(arrived->number));
    if (!has_it && !status_) ::kill(child_.id(), arrived->number);
  }
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
