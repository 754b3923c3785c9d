#include "client/lockctl/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "client/lockctl/exit_status.h"

namespace lockd::lockctl {

namespace {

constexpr std::array<int, 6> ending_signals = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

void leave(int number) { ::_exit(exit_status::signal_base + number); }

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
  sigset_t passed_on;
  ::sigemptyset(&passed_on);
  for (const int number : ending_signals) ::sigaddset(&passed_on, number);
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
  descriptor_ = Descriptor(::signalfd(-1, &passed_on, SFD_CLOEXEC | SFD_NONBLOCK));
  if (descriptor_.number() < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

std::optional<Arrived> SignalQueue::take() {
  signalfd_siginfo info{};
  if (::read(descriptor_.number(), &info, sizeof info) != sizeof info) return std::nullopt;
  return Arrived{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

}  // namespace lockd::lockctl
