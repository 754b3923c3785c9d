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

/// None where there is none, and so no shell that has jobs.
Descriptor controlling_terminal() { return Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)); }

/// A shell that continues lockctl in the foreground gives the terminal to lockctl's group, and knows of no other: the
/// command may have made one of its own, as an interactive shell does.
void hand_on(const Descriptor& terminal, pid_t command) {
  const pid_t group = ::getpgid(command);
  const bool is_ours = ::tcgetpgrp(terminal.get()) == ::getpgrp();
  if (is_ours && group > 0 && group != ::getpgrp()) ::tcsetpgrp(terminal.get(), group);
}

/// TSTP waits while this lasts. Ctrl-Z stops command and lockctl: came it between the look at the one and the stop of
/// the other, lockctl would stop once more when it is continued.
class HeldBackStop {
 public:
  HeldBackStop() {
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTSTP);
    ::pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  HeldBackStop(const HeldBackStop&) = delete;
  HeldBackStop& operator=(const HeldBackStop&) = delete;
  ~HeldBackStop() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Whether a line can be written to stderr without waiting for whoever reads it.
bool stderr_takes_a_line() {
  pollfd watched = {STDERR_FILENO, POLLOUT, 0};
  return ::poll(&watched, 1, 0) == 1;
}

/// So that the shell that waits for lockctl has its terminal again, which is returned. Where no shell can continue it
/// (its group is orphaned) the kernel ignores this. CONT, when it comes, is passed on as other signals are.
Descriptor stop_with_the_command() {
  Descriptor terminal = controlling_terminal();
  if (terminal) ::raise(SIGTSTP);
  return terminal;
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
    if (is_for_it) pass_on(arrived->number);
  }
}

/// The child's number is its own until it is reaped. A group of its own is continued as a whole: whoever continues
/// lockctl knows of lockctl's alone.
void Supervisor::pass_on(int number) {
  const bool to_the_group = number == SIGCONT && ::getpgid(child_.id()) == child_.id();
  ::kill(to_the_group ? -child_.id() : child_.id(), number);
}

/// What the command sends to its own process group (`kill 0` in a script), or its descendants in that group do, comes
/// to lockctl, too: passed on it would be there twice.
bool Supervisor::has_reached_the_command(const Arrived& arrived) const {
  if (arrived.from_kernel) return !is_hangup(arrived.number);
  return arrived.sender > 0 && ::getpgid(arrived.sender) == ::getpgrp() &&
         descends(processes(), arrived.sender, ::getpid());
}

void Supervisor::reap() {
  Descriptor terminal;
  {
    const HeldBackStop held_back;
    if (wait_for_children() && !ending_ && !loss_.happened()) terminal = stop_with_the_command();
  }  // here it stops, and goes on when it is continued
  if (terminal) hand_on(terminal, child_.id());
}

/// Without waiting. Returns whether the command has stopped, and not ended.
bool Supervisor::wait_for_children() {
  bool stopped = false;
  int wait_status = 0;
  for (pid_t changed = 0; (changed = ::waitpid(-1, &wait_status, WNOHANG | WUNTRACED)) > 0;) {
    if (changed != child_.id()) continue;  // left to us by its parent
    stopped = WIFSTOPPED(wait_status);
    if (stopped) continue;
    status_ = status_of(wait_status);
    if (!ending_) break;
  }
  return stopped;
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
