// The processes below a process, as /proc shows them.
#ifndef LOCKD_CLIENT_LOCKCTL_PROCESS_TREE_H_
#define LOCKD_CLIENT_LOCKCTL_PROCESS_TREE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lockd::lockctl {

/// What /proc/PID/stat says of a process.
struct ProcessStat {
  pid_t id = 0;
  char state = '?';  // Z: it has ended, and its parent has not asked how
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::uint64_t start = 0;  // in ticks since the machine's: with the id, what no other process ever has
};

/// Out of the file's one line, whatever the name of the program in it. Nothing if that is not what it is.
std::optional<ProcessStat> parse_stat(std::string_view line);

/// What descends from `root` in a list of all processes, without root itself and without what has ended; nothing
/// whose session is neither root's nor `session`: a daemon has made itself one of its own so as to stay.
std::vector<ProcessStat> descendants(const std::vector<ProcessStat>& all, pid_t root, pid_t session);

/// Whether `id` is `root`, or descends from it.
bool descends(const std::vector<ProcessStat>& all, pid_t id, pid_t root);

/// Whether `id` has, above its process group, an ancestor in its session: a shell that can continue it when it is
/// stopped.
bool is_a_job(const std::vector<ProcessStat>& all, pid_t id);

/// The processes that there are now; none where /proc can't be read.
std::vector<ProcessStat> processes();

/// Sends a signal to the very process that was seen, and to no other that was given its number since. Returns whether
/// it is there.
bool signal_process(const ProcessStat& seen, int number);

/// From now on whoever descends from this process and loses its parent becomes its child: nobody gets away. To be
/// called before there is a child.
void keep_orphans();

/// Sends a signal to all that descends from this process, as above, again and again until a look shows nobody for whom
/// this has not been tried. Returns whether it has reached anybody. To be called by the thread that reaps the children.
bool signal_descendants(pid_t session, int number);

/// Whether there is anybody left.
bool has_descendants(pid_t session);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_PROCESS_TREE_H_
