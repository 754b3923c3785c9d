// What lockctl is asked to do: its command line and LOCKD_SERVER, as values.
#ifndef LOCKD_CLIENT_LOCKCTL_OPTIONS_H_
#define LOCKD_CLIENT_LOCKCTL_OPTIONS_H_

#include <lockd/lock.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/lockctl/exit_status.h"

namespace lockd::lockctl {

enum class Command { run, get, inspect, list, who, stats, ping, version, top, bench, help };

/// How a lock is to be taken.
struct LockRequest {
  Mode mode = Mode::exclusive;
  std::optional<std::uint32_t> limit;             // --max: 1 to 2^31 - 1; shared only
  std::optional<std::chrono::milliseconds> wait;  // -w, at most 2^31 - 1 ms; -n is 0; none: for ever
};

/// Each member is the option or operand of its name; the defaults here are those that the help shows.
struct Options {
  Command command = Command::ping;
  std::string server = "tcp://127.0.0.1:9999";
  std::chrono::milliseconds connect_timeout{5000};  // more than 0
  bool json = false;

  std::string key;  // run, get, inspect: not empty, and one that the server reads as it is
  LockRequest lock;
  bool mode_is_given = false;  // -s or -x: inspect looks at both without
  int conflict_status = exit_status::conflict;
  std::chrono::milliseconds peer_timeout{10000};  // run, get: 2 s to an hour
  std::optional<std::string> name;                // run, get: the connection's; "": none; not given: who runs it
  std::chrono::milliseconds kill_after{5000};
  std::optional<std::string> shell_command;  // -c
  std::vector<std::string> arguments;        // COMMAND and its arguments; with -c none

  std::string filter;      // list, top: a prefix of keys; who: a name; help: a command; may be empty
  bool keys_only = false;  // list --keys

  std::chrono::milliseconds interval{1000};  // top: 100 ms to a day
  std::optional<std::uint64_t> count;        // top: screens or lines, 1 or more; none: until it is ended
  std::chrono::milliseconds duration{4000};  // bench: 100 ms to 10 minutes, for all shapes together
  unsigned connections = 8;                  // bench: 1 to 1000
};

/// Text for stdout, whole lines, in place of a command: --help, --version, and the command help.
struct Print {
  std::string text;
};

/// Reads the command line; where it names no server, `server` (LOCKD_SERVER's value, null if not set) does. Failure is
/// a usage error, in one line that says what is wrong and what to do. Not to be called by two threads at once: it is
/// getopt_long(3) that reads.
std::variant<Options, Print, Failure> read_options(int argc, char** argv, const char* server);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_OPTIONS_H_
