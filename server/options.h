// What an operator can set: flags, keys of the config file, and environment variables.
#ifndef LOCKD_SERVER_OPTIONS_H_
#define LOCKD_SERVER_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/services.h"

namespace lockd::server {

/// How the daemon is to run. Each member is the flag of its name; defaults are in options.cc, where --help shows them.
struct Options {
  std::vector<std::string> listen;             // URIs; none: 127.0.0.1 and [::1], port 9999
  std::vector<std::string> websocket_origins;  // of the pages that may connect to WebSockets
  std::string http;                            // URI of metrics and health; none if empty
  unsigned threads = 1;                        // I/O threads, 1 to 64
  Settings settings;  // --classic, --no-dump, --no-registry, --max-line-bytes, --max-input-bytes, --max-output-bytes
  std::optional<std::uint64_t> connections_max;  // S4; by default what the descriptor limit allows
  std::optional<std::uint64_t> locks_max;        // S5
  std::optional<std::uint64_t> waiters_max;      // W7
  std::chrono::seconds peer_timeout{30};         // S2: 1 s to 1 h
  unsigned unix_mode = 0660;                     // permission bits of Unix sockets
  std::string state_directory;                   // T1; none if empty
  std::string pidfile;                           // none if empty
  std::string log_level = "info";
  std::vector<std::string> warnings;  // of what is set in vain, for the log
};

/// That the process is to end at once: what to print, and with what exit status. Status 0 prints to stdout, any other
/// to stderr.
struct Exit {
  int status = 0;
  std::string text;  // whole lines
};

/// Reads the command line, then the environment (LOCKD_THREADS for --threads, and so on), then the file that --config
/// names: the first of the three that sets a value has it. Exit for --help and --version (0), and for a bad flag, key
/// or value or a file that cannot be read (2, one line).
std::variant<Options, Exit> read_options(int argc, const char* const* argv);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_OPTIONS_H_
