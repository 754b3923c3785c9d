// A run: a daemon, its clients, their nemesis; and the history that comes of it.
#ifndef LOCKD_HISTORIES_RUN_H_
#define LOCKD_HISTORIES_RUN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "histories/faulty_proxy.h"
#include "histories/history.h"

namespace lockd::histories {

struct RunOptions {
  std::string server;  // the daemon to start, with four threads
  std::string uri;     // or where one runs, `tcp://127.0.0.1:PORT`: it is not stopped, and must be at rest
  double seconds = 10;
  std::uint64_t seed = 1;          // of what is asked and of the trouble; when it happens is the machine's affair
  std::size_t operations_min = 0;  // the run takes longer where there are fewer by then
  std::size_t clients = 12;
  std::size_t children = 2;             // processes with two more clients each
  ProxyFault fault = ProxyFault::none;  // of a proxy between clients and daemon, where it is not none
};

struct RunResult {
  History history;
  std::vector<std::string> faults;  // what is wrong beside the history: none of a good server
  std::map<std::string, std::size_t> nemesis;
  double seconds = 0;
};

/// Runs for so many seconds; then without trouble until all is answered; then everything is closed, and a newcomer must
/// find all keys free, and the server at rest. Ends early at a fault. The server must end with status 0. `progress` is
/// called once a second, with the seconds and the number of operations. For a process with a single thread.
RunResult run(const RunOptions& options, const std::function<void(double, std::size_t)>& progress);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_RUN_H_
