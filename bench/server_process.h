// A server started as a child of the benchmark, and what the system knows of it. The child never outlives the
// benchmark.
#ifndef LOCKD_BENCH_SERVER_PROCESS_H_
#define LOCKD_BENCH_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockd::bench {

class ServerProcess {
 public:
  /// Runs `path` with `--listen tcp://127.0.0.1:0` and `flags`, on one core where `core` names it, and waits up to 10 s
  /// for its `listening on tcp://...` line. Throws where that does not come. Call it from the main thread: the kernel
  /// kills the child when the thread that started it ends.
  ServerProcess(const std::string& path, const std::vector<std::string>& flags, std::optional<int> core = {});
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() { stop(); }

  std::uint16_t port() const { return port_; }
  /// Sends SIGTERM, and SIGKILL where the child is still there after 10 s. Returns its exit status, 128 and the
  /// signal's number where a signal ended it. Later calls return the same and do nothing.
  int stop();

  /// Bytes of resident memory now, counted page by page (the cheaper figures of the kernel are off by up to 64 pages a
  /// core).
  std::size_t resident_bytes() const;
  /// The most that it ever was.
  std::size_t resident_bytes_max() const;
  /// Open descriptors now.
  std::size_t descriptors() const;
  pid_t pid() const { return pid_; }

 private:
  void read_port();

  pid_t pid_ = -1;
  int output_ = -1;  // the read end of the child's standard output
  std::uint16_t port_ = 0;
  std::optional<int> exit_status_;
};

/// Keeps the calling thread, and those that it starts, on one core.
void pin_to_core(int core);

/// The path of a file of the build tree, given relative to the folder of the running program.
std::string beside_this_program(const std::string& relative);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_SERVER_PROCESS_H_
