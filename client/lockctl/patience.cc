#include "client/lockctl/patience.h"

#include <lockd/client.h>

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

/// As it is given on the command line: 60, 1.5.
std::string seconds_text(milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 == 0) return text;
  text += "." + std::to_string(1000 + time.count() % 1000).substr(1);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

}  // namespace

bool is_sure_of_its_lock(const Options& options) {
  return options.server.starts_with("unix:") || silence_max(options.peer_timeout) < server_patience;
}

std::string overlap_warning(const Options& options) {
  const bool runs = options.command == Command::run;
  const milliseconds until_stopped = silence_max(options.peer_timeout) + (runs ? options.kill_after : milliseconds(0));
  if (options.server.starts_with("unix:") || until_stopped < server_patience) return {};
  const std::string sum = "0.9 x --peer-timeout " + seconds_text(options.peer_timeout) +
                          (runs ? " + --kill-after " + seconds_text(options.kill_after) : "");
  return std::string("lockctl ") + (runs ? "run" : "get") +
         ": warning: if the network vanishes, another may get the lock " +
         (runs ? "before COMMAND is killed" : "before the loss is noticed") + ": " + sum + " should be less than " +
         std::to_string(server_patience.count()) + " s, half of a server's usual --peer-timeout";
}

}  // namespace lockd::lockctl
