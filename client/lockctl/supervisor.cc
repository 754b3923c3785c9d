#include "client/lockctl/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "client/descriptor.h"
#include "client/lockctl/exit_status.h"
#include "client/lockctl/output.h"
#include "client/lockctl/process_tree.h"
#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

/// Between two looks at who is still there after KILL was sent: most go at once, and who sleeps in the kernel may stay.
constexpr int killing_interval_ms_min = 10;
constexpr int killing_interval_ms_max = 1000;

Ended ended_as(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {.status = exit_status::signal_base + WTERMSIG(wait_status), .by_signal = true};
  return {.status = WEXITSTATUS(wait_status)};
}

/// What a terminal sends goes to the whole foreground process group, but for the end of the terminal itself, of which
/// the leader of its session alone is told.
bool is_hangup(int number) { return (number == SIGHUP || number == SIGCONT) && ::getsid(0) == ::getpid(); }

/// As shells have it: 127 for what is not there, 126 for what can't be executed.
int report_exec(const std::string& name, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return report({missing ? exit_status::not_found : exit_status::not_executable,
                 "lockctl: " + printable(name) + ": " + std::generic_category().message(error)});
}

/// None where there is none, and so no shell that has jobs.
Descriptor controlling_terminal() { return Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)); }

/// From lockctl's process group, where that has it, to the command's, if it has made one of its own.
void hand_on(const Descriptor& terminal, pid_t command) {
  const pid_t group = ::getpgid(command);
  const bool is_ours = ::tcgetpgrp(terminal.get()) == ::getpgrp();
  if (is_ours && group > 0 && group != ::getpgrp()) ::tcsetpgrp(terminal.get(), group);
}

/// From the process group that the command had made, if it was left the terminal: keys would reach nobody.
void take_back_terminal(pid_t command) {
  const Descriptor terminal = controlling_terminal();
  if (terminal && ::tcgetpgrp(terminal.get()) == command) ::tcsetpgrp(terminal.get(), ::getpgrp());
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
    return {.status = exit_status::lost, .lost = true};
  }
  if (const int error = child_.execute(); error != 0) return {.status = report_exec(name, error)};
  SignalQueue::block_stops();  // not before: a child that is stopped ahead of its exec keeps lockctl waiting for it
  return wait();
}

Ended Supervisor::wait() {
  while (!is_over()) {
    sleep_until_something_happens();
    take_signals();
    reap();
    if (!ended_ && !ending_ && loss_.happened()) end_the_command();
    if (ending_ && Clock::now() >= kill_at_) {
      killing_interval_ms_ = std::clamp(2 * killing_interval_ms_, killing_interval_ms_min, killing_interval_ms_max);
      signal_all(SIGKILL);
    }
  }
  take_back_terminal(child_.id());
  if (ending_ && !has_complained_) complain_of_the_loss();
  return ending_ ? Ended{.status = exit_status::lost, .lost = true} : *ended_;
}

bool Supervisor::is_over() const { return ended_ && (!ending_ || !has_descendants(session_)); }

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
    if (is_for_the_command(*arrived)) pass_on(*arrived);
  }
}

bool Supervisor::is_for_the_command(const Arrived& arrived) const {
  if (arrived.number == SIGCHLD || ended_ || has_reached_the_command(arrived)) return false;
  return arrived.number != SIGTSTP || may_be_stopped();
}

/// Without its lock it is to end, and where no shell can continue lockctl nobody would continue it.
bool Supervisor::may_be_stopped() const { return !ending_ && !loss_.happened() && is_a_job(processes(), ::getpid()); }

/// The child's number is its own until it is reaped. To a group of its own goes as a whole what a terminal sends, or a
/// shell that continues lockctl: they know of lockctl's group alone.
void Supervisor::pass_on(const Arrived& arrived) {
  const bool is_a_key = arrived.from_kernel && !is_hangup(arrived.number);
  const bool is_job_control = arrived.number == SIGCONT || arrived.number == SIGTSTP;
  const bool to_the_group = (is_a_key || is_job_control) && ::getpgid(child_.id()) == child_.id();
  ::kill(to_the_group ? -child_.id() : child_.id(), arrived.number);
}

/// What a terminal sends comes to a command in lockctl's group, and not to one that has made a group of its own, as
/// timeout(1) does. What the command sends to its own process group (`kill 0` in a script), or its descendants in that
/// group do, comes to lockctl, too: passed on it would be there twice.
bool Supervisor::has_reached_the_command(const Arrived& arrived) const {
  if (arrived.from_kernel) return ::getpgid(child_.id()) == ::getpgrp() && !is_hangup(arrived.number);
  return arrived.sender > 0 && ::getpgid(arrived.sender) == ::getpgrp() &&
         descends(processes(), arrived.sender, ::getpid());
}

/// When the command has stopped, so does lockctl: the shell that waits for it has its terminal again. CONT, when it
/// comes, is passed on as other signals are. A shell that continues lockctl in the foreground gives the terminal to
/// lockctl's group, and knows of no other; the command's own gets it where it had it, as an interactive shell does, or
/// has stopped for want of it (TTIN, TTOU), or by itself (STOP, as that shell when it is suspended; it has put the
/// terminal back before).
void Supervisor::reap() {
  const std::optional<int> stopped_by = wait_for_children();
  if (!stopped_by || ending_ || loss_.happened()) return;
  const Descriptor terminal = controlling_terminal();
  if (!terminal) return;
  const bool uses_it = *stopped_by != SIGTSTP || ::tcgetpgrp(terminal.get()) == ::getpgid(child_.id());
  SignalQueue::stop_process();
  if (uses_it) hand_on(terminal, child_.id());
}

/// Without waiting. Returns by which signal the command has stopped, if it has, and not ended.
std::optional<int> Supervisor::wait_for_children() {
  std::optional<int> stopped_by;
  int wait_status = 0;
  for (pid_t changed = 0; (changed = ::waitpid(-1, &wait_status, WNOHANG | WUNTRACED)) > 0;) {
    if (changed != child_.id()) continue;  // left to us by its parent
    stopped_by = WIFSTOPPED(wait_status) ? std::optional(WSTOPSIG(wait_status)) : std::nullopt;
    if (stopped_by) continue;
    ended_ = ended_as(wait_status);
    if (!ending_) break;
  }
  return stopped_by;
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
  if (!signal_descendants(session_, number) && !ended_) ::kill(child_.id(), number);
}

}  // namespace lockd::lockctl
