// A daemon as a child process of a test.
#ifndef LOCKD_PROPTESTS_SCENARIO_DAEMON_H_
#define LOCKD_PROPTESTS_SCENARIO_DAEMON_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace lockd::proptests {

/// How long a daemon, slowed down by sanitizers and by other tests, may take for anything that a test asks of it.
inline constexpr std::chrono::seconds daemon_patience{20};

/// Runs from the constructor to stop(), and never longer than this object or this process. LOCKD_ variables of the
/// environment are kept from it.
class Daemon {
 public:
  /// Starts `binary` with --listen `uri` and `flags`, and waits for its `listening on` line. Throws where that does not
  /// come. From the main thread only: the kernel kills the child when the thread that started it ends.
  Daemon(const std::string& binary, const std::string& uri, const std::vector<std::string>& flags);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  /// Where it listens, as it says: the port is there.
  const std::string& uri() const { return uri_; }

  /// Its process, to be stopped and continued by signals.
  pid_t pid() const { return pid_; }

  /// SIGTERM. Returns the exit status, or 128 and the signal that ended it (SIGKILL where patience came to its end).
  int stop();

 private:
  std::string read_line() const;

  pid_t pid_ = -1;
  int output_ = -1;  // what it prints
  std::string uri_;
  std::optional<int> exit_status_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_DAEMON_H_
