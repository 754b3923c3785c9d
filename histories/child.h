// Clients in a process of their own, which can be stopped and killed.
#ifndef LOCKD_HISTORIES_CHILD_H_
#define LOCKD_HISTORIES_CHILD_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "histories/recorder.h"

namespace lockd::histories {

/// Starts and ends processes, one at a time; what all of them did is in one recorder. None outlives its parent. For a
/// parent with a single thread.
class Child {
 public:
  Child(std::string uri, std::size_t clients, std::size_t operations_max);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  bool is_running() const { return pid_ > 0; }
  /// Its clients have these numbers, `clients` of them from the first.
  void start(std::uint32_t first_session, std::uint64_t seed);
  /// SIGKILL. Returns the ends of its sessions, which are not known to be over.
  std::vector<Operation*> kill();
  /// SIGSTOP, SIGCONT.
  void stop() const;
  void go_on() const;

  std::size_t clients() const { return clients_; }
  /// Whether the server counts all of its clients.
  bool is_greeted() const;
  /// What a client of it was told that is a fault of the server's.
  std::optional<std::string> fault() const;
  const Recorder& recorder() const { return recorder_; }

 private:
  struct Board;

  [[noreturn]] void live(std::uint32_t first_session, std::uint64_t seed);

  std::string uri_;
  std::size_t clients_;
  Recorder recorder_;
  Board* board_;
  pid_t pid_ = -1;
  std::uint32_t first_session_ = 0;  // of the process that runs
  std::size_t first_operation_ = 0;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_CHILD_H_
