#include "client/lockctl/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "client/lockctl/exit_status.h"

namespace lockd::lockctl {

namespace {

constexpr std::array<int, 6> ending_signals = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/// With which leave() leaves; -1: with the signal's own.
volatile std::sig_atomic_t status_to_leave_with = -1;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// A literal, so that it is there whenever the time is over.
const char* volatile words_to_leave_with = "";  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void leave(int number) {
  const int status = status_to_leave_with;
  ::_exit(status < 0 ? exit_status::signal_base + number : status);
}

void leave_in_time(int number) {
  const char* const words = words_to_leave_with;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, words, std::strlen(words));
  leave(number);
}

sigset_t set_of_ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : ending_signals) ::sigaddset(&set, number);
  return set;
}

sigset_t set_of_stop() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTSTP);
  return set;
}

}  // namespace

CallerSignals::CallerSignals() {
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &usual, &child_action_);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

void CallerSignals::restore() const {
  ::sigaction(SIGCHLD, &child_action_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

void exit_on_signals() {
  for (const int number : ending_signals) {
    struct sigaction action{};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action.sa_handler = leave;
    ::sigaction(number, &action, nullptr);
  }
}

SignalQueue::SignalQueue() {
  sigset_t passed_on = set_of_ending_signals();
  for (const int number : {SIGWINCH, SIGCONT, SIGCHLD}) ::sigaddset(&passed_on, number);
  sigset_t blocked = passed_on;
  for (const int number : {SIGPIPE, SIGTTOU}) ::sigaddset(&blocked, number);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  for (const int number : ending_signals) {
    struct sigaction action{};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != leave) continue;
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  ::sigaddset(&passed_on, SIGTSTP);
  descriptor_ = Descriptor(::signalfd(-1, &passed_on, SFD_CLOEXEC | SFD_NONBLOCK));
  if (descriptor_.get() < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

std::optional<Arrived> SignalQueue::take() {
  signalfd_siginfo info{};
  if (::read(descriptor_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return Arrived{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL, static_cast<pid_t>(info.ssi_pid)};
}

void SignalQueue::block_stops() {
  sigset_t stops = set_of_stop();
  ::sigaddset(&stops, SIGTTIN);
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
}

void SignalQueue::stop_process() {
  const sigset_t stop = set_of_stop();
  ::raise(SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // here it stops, once: CONT takes away what is pending of TSTP
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

void SignalQueue::exit_from_now_on(int status) {
  while (take()) {
  }
  status_to_leave_with = status;
  exit_on_signals();
  sigset_t ending = set_of_ending_signals();
  ::sigaddset(&ending, SIGTSTP);  // which stops it again
  ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

void SignalQueue::exit_within(std::chrono::seconds time, int status, const char* last_words) {
  exit_from_now_on(status);
  words_to_leave_with = last_words;
  struct sigaction action{};
  action.sa_handler = leave_in_time;
  ::sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  ::alarm(static_cast<unsigned>(time.count()));
}

void SignalQueue::stay() { ::alarm(0); }

}  // namespace lockd::lockctl
