// Signals of `lockctl run`: what the caller had set, what ends a wait in line, and what is passed on to the command.
#ifndef LOCKD_CLIENT_LOCKCTL_SIGNALS_H_
#define LOCKD_CLIENT_LOCKCTL_SIGNALS_H_

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "client/descriptor.h"

namespace lockd::lockctl {

/// The signal mask and SIGCHLD's disposition as lockctl's caller had them. Other dispositions are changed only from
/// the default to a handler, which exec undoes by itself.
class CallerSignals {
 public:
  /// Saves both, and sets SIGCHLD to its default: where it is ignored no child can be waited for.
  CallerSignals();

  /// Sets both again. For the child, between fork and exec: async-signal-safe.
  void restore() const;

 private:
  sigset_t mask_{};
  struct sigaction child_action_{};
};

/// From here on TERM, INT, HUP, QUIT, USR1 and USR2 end the process at once, with status 128 + their number: its
/// connection closes, and it has left the line. Those that the caller has ignored stay so.
void exit_on_signals();

/// What a signal that arrived wants.
struct Arrived {
  int number = 0;
  bool from_kernel = false;  // a terminal's key or size, which the whole foreground group is told of
  pid_t sender = 0;          // a process, if not from the kernel; it may have ended
};

/// Blocks the signals that are passed on (those above, WINCH and CONT) and CHLD, and lets them be read instead; TSTP
/// too where it is blocked, by the caller or by block_stops(). Undoes exit_on_signals(). Blocks PIPE and TTOU besides:
/// neither who reads stderr nor a terminal's settings may end or stop lockctl while a command is its charge. To be made
/// once, by the main thread.
class SignalQueue {
 public:
  SignalQueue();  // throws std::system_error

  /// Becomes readable when there is something to take.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }

  /// The next one, without waiting.
  std::optional<Arrived> take();

  /// From now on neither a key nor another reader of the terminal stops the process: TSTP is read like the others, TTIN
  /// stays pending. (A process that reads a terminal of which it is in the background itself would get EIO.)
  static void block_stops();

  /// Stops the process as TSTP does by itself, and returns when it is continued. Where no shell could do that (its
  /// group is orphaned) the kernel does not stop it.
  static void stop_process();

  /// What is not taken yet is forgotten, and what comes from now on ends the process at once with this status: the
  /// command has ended, and only manners keep lockctl.
  void exit_from_now_on(int status);

  /// The same, and the process ends so after this time if it has not by itself: nobody is to wait for a server that
  /// hangs. `last_words`, a literal, are written to stderr then.
  void exit_within(std::chrono::seconds time, int status, const char* last_words);

  /// Takes the time limit away.
  static void stay();

 private:
  Descriptor descriptor_;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_SIGNALS_H_
