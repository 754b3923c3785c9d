#include "client/lockctl/run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <variant>

#include "client/lockctl/child.h"
#include "client/lockctl/json.h"
#include "client/lockctl/locking.h"
#include "client/lockctl/loss.h"
#include "client/lockctl/nesting.h"
#include "client/lockctl/output.h"
#include "client/lockctl/patience.h"
#include "client/lockctl/process_tree.h"
#include "client/lockctl/signals.h"
#include "client/lockctl/supervisor.h"
#include "client/lockctl/text.h"
#include "client/lockctl/warden.h"

namespace lockd::lockctl {

namespace {

Program program_of(const Options& options, const Held& held) {
  Program program;
  program.arguments = options.arguments;
  if (options.shell_command) program.arguments = {"/bin/sh", "-c", *options.shell_command};
  program.environment = {{"LOCKD_KEY", options.key},
                         {"LOCKD_MODE", name_of(options.lock.mode)},
                         {"LOCKD_TOKEN", std::to_string(held.token)}};
  return program;
}

static_assert(release_patience == std::chrono::seconds(2), "unanswered_release says so");
constexpr const char* unanswered_release =
    "lockctl: warning: the server has not answered the release within 2 s; the connection is closed, and the lock with "
    "it\n";

/// Only to give the lock back is left to do, and the end of the connection would do as well. That no reply comes (it is
/// not that the connection ended) takes nothing from what was done under the lock, where it was there until now.
void prepare_to_leave(const Options& options, SignalQueue& signals, int status, bool by_signal) {
  if (by_signal) return signals.exit_within(std::chrono::seconds(1), status, "");
  if (is_sure_of_its_lock(options)) return signals.exit_within(release_patience, status, unanswered_release);
  signals.exit_from_now_on(status);
}

/// The lock is held. Runs the program until it has ended, or has failed to start.
Ended run_program(const Options& options, const Program& program, const CallerSignals& caller, const Loss& loss) {
  SignalQueue signals;
  keep_orphans();
  Child child(program, caller);
  const Warden warden(child);
  const Ended ended = Supervisor(child, signals, loss, options.kill_after).run(program.arguments[0]);
  prepare_to_leave(options, signals, ended.status, ended.by_signal);
  return ended;
}

/// What is said, and returned, when the lock that should have been given back was not held any more.
int report_unreleased(const Error& error, const Loss& loss, const Options& options) {
  SignalQueue::stay();
  if (!loss.happened()) return report(failure_of(error, options));
  complain("lockctl: the lock was lost before it was given back: " + loss.reason());
  return exit_status::lost;
}

/// Not TSTP, which is read only where the caller has it blocked.
bool ends_the_wait(int signal) {
  constexpr std::array<int, 4> others = {SIGWINCH, SIGCONT, SIGCHLD, SIGTSTP};
  return std::ranges::find(others, signal) == others.end();
}

/// Until stdin ends, a signal comes (whose number is returned) or the lock is lost (0, as for stdin).
int wait_for_end_of_input(const Loss& loss, SignalQueue& signals) {
  std::array<pollfd, 3> watched = {
      {{STDIN_FILENO, POLLIN, 0}, {signals.descriptor(), POLLIN, 0}, {loss.descriptor(), POLLIN, 0}}};
  for (;;) {
    ::poll(watched.data(), watched.size(), -1);
    if (loss.happened()) return 0;
    while (const auto arrived = signals.take()) {
      if (ends_the_wait(arrived->number)) return arrived->number;
    }
    if (watched[0].revents == 0) continue;
    std::array<char, 4096> unused{};
    const ssize_t got = ::read(STDIN_FILENO, unused.data(), unused.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return 0;
  }
}

void print_held(const Options& options, const Held& held) {
  if (!options.json) return print(std::to_string(held.token) + "\n");
  print(json::held(options.key, options.lock.mode, held.token, held.holders) + "\n");
}

/// By the main thread, while there is no other.
void warn(const Options& options) {
  complain(overlap_warning(options));
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread
  complain(nesting_warning(options, std::getenv("LOCKD_KEY"), std::getenv("LOCKD_MODE")));
}

/// At a terminal nothing else would tell what it waits for.
void explain_the_wait(const Options& options) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return;
  complain("lockctl get: holding " + printable(options.key) + "; the end of input (Ctrl-D) gives it back");
}

}  // namespace

int run(const Options& options) {
  warn(options);
  const CallerSignals caller;
  exit_on_signals();
  auto connected = connect_to_server(options);
  if (const auto* failure = std::get_if<Failure>(&connected)) return report(*failure);
  auto& client = std::get<Client>(connected);
  const Loss loss(client, options.server);
  const auto taken = take_lock(client, options);
  if (const auto* failure = std::get_if<Failure>(&taken)) return report(*failure);
  const Ended ended = run_program(options, program_of(options, std::get<Held>(taken)), caller, loss);
  const Result<void> released = release_lock(client, options);
  client.close();
  if (ended.lost) return ended.status;
  return released ? ended.status : report_unreleased(released.error(), loss, options);
}

int get(const Options& options) {
  warn(options);
  exit_on_signals();
  auto connected = connect_to_server(options);
  if (const auto* failure = std::get_if<Failure>(&connected)) return report(*failure);
  auto& client = std::get<Client>(connected);
  const Loss loss(client, options.server);
  const auto taken = take_lock(client, options);
  if (const auto* failure = std::get_if<Failure>(&taken)) return report(*failure);
  SignalQueue signals;
  print_held(options, std::get<Held>(taken));
  if (const Failure failure = flush(); failure.status != exit_status::success) return report(failure);
  explain_the_wait(options);
  const int number = wait_for_end_of_input(loss, signals);
  const bool by_signal = number != 0;
  const int status = by_signal ? exit_status::signal_base + number : exit_status::success;
  prepare_to_leave(options, signals, status, by_signal);
  const Result<void> released = release_lock(client, options);
  client.close();
  if (!released) return report_unreleased(released.error(), loss, options);
  return status;
}

}  // namespace lockd::lockctl
