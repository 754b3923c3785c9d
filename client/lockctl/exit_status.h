// The exit statuses of lockctl: those of sysexits(3) where they fit, the shell's for a command that did not run.
#ifndef LOCKD_CLIENT_LOCKCTL_EXIT_STATUS_H_
#define LOCKD_CLIENT_LOCKCTL_EXIT_STATUS_H_

#include <string>

namespace lockd::lockctl {

/// A process's exit status, 0 to 255. lockctl(1) lists them.
namespace exit_status {
inline constexpr int success = 0;
inline constexpr int conflict = 1;          // the lock can't be had (run, get: unless -E says another), or isn't held
inline constexpr int usage = 64;            // a wrong option, number, URI or key
inline constexpr int unavailable = 69;      // the server can't be reached, or has gone
inline constexpr int lost = 70;             // the lock was lost while it was needed
inline constexpr int system_error = 71;     // the system refused a process, a pipe or the like
inline constexpr int output_error = 74;     // what was to be printed could not be written
inline constexpr int refused = 76;          // the server answered, but not what was asked for
inline constexpr int not_executable = 126;  // COMMAND is there and can't be executed
inline constexpr int not_found = 127;       // COMMAND is not there
inline constexpr int signal_base = 128;     // and a signal's number: it ended COMMAND, or lockctl in line
}  // namespace exit_status

/// That the process is to end: its exit status, and one line for stderr without its line end, none if empty.
struct Failure {
  int status = exit_status::success;
  std::string text;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_EXIT_STATUS_H_
