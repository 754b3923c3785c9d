#include "client/lockctl/process_tree.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "client/descriptor.h"
#include "client/lockctl/pidfd.h"

namespace lockd::lockctl {

namespace {

/// Who forks faster than this many looks can follow is not caught by TERM; KILL is sent again and again.
constexpr int looks_max = 10;

/// Of proc(5), which counts from 1.
constexpr int session_field = 6;
constexpr int start_field = 22;

std::optional<ProcessStat> stat_of(const std::filesystem::path& directory) {
  std::ifstream file(directory / "stat");
  std::string line;
  if (!std::getline(file, line, '\0')) return std::nullopt;  // it has gone meanwhile
  return parse_stat(line);
}

bool is_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

/// Also where the system has no pidfds, or no descriptor is left for one: a child of this process keeps its number
/// until this thread has asked how it ended, so that kill(2) cannot reach another. Of others there is no telling.
bool reach(const ProcessStat& seen, int number) {
  if (signal_process(seen, number)) return true;
  return seen.parent == ::getpid() && ::kill(seen.id, number) == 0;
}

pid_t session_of(const std::vector<ProcessStat>& all, pid_t id) {
  const auto found = std::ranges::find(all, id, &ProcessStat::id);
  return found == all.end() ? -1 : found->session;
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view line) {
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  ProcessStat stat;
  const char* const end = line.data() + line.size();
  if (std::from_chars(line.data(), end, stat.id).ec != std::errc()) return std::nullopt;
  std::istringstream rest{std::string(line.substr(name_end + 1))};
  if (!(rest >> stat.state >> stat.parent >> stat.group >> stat.session)) return std::nullopt;
  std::string skipped;
  for (int field = session_field + 1; field < start_field; ++field) rest >> skipped;
  if (!(rest >> stat.start)) return std::nullopt;
  return stat;
}

std::vector<ProcessStat> descendants(const std::vector<ProcessStat>& all, pid_t root, pid_t session) {
  const pid_t own_session = session_of(all, root);
  std::set<pid_t> below = {root};
  for (bool grew = true; grew;) {
    grew = false;
    for (const ProcessStat& each : all) {
      if (below.contains(each.parent)) grew = below.insert(each.id).second || grew;
    }
  }
  std::vector<ProcessStat> found;
  for (const ProcessStat& each : all) {
    const bool ours = each.session == own_session || each.session == session;
    if (each.id != root && ours && each.state != 'Z' && below.contains(each.id)) found.push_back(each);
  }
  return found;
}

bool descends(const std::vector<ProcessStat>& all, pid_t id, pid_t root) {
  for (std::size_t steps = 0; steps <= all.size(); ++steps) {  // a look at many processes is not of one moment
    if (id == root) return true;
    const auto found = std::ranges::find(all, id, &ProcessStat::id);
    if (found == all.end()) return false;
    id = found->parent;
  }
  return false;
}

bool is_a_job(const std::vector<ProcessStat>& all, pid_t id) {
  const auto self = std::ranges::find(all, id, &ProcessStat::id);
  auto each = self;
  for (std::size_t steps = 0; each != all.end() && steps <= all.size(); ++steps) {
    if (each->group != self->group) return each->session == self->session;
    each = std::ranges::find(all, each->parent, &ProcessStat::id);
  }
  return false;
}

std::vector<ProcessStat> processes() {
  std::vector<ProcessStat> all;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    if (!is_number(entry->path().filename().string())) continue;
    if (const auto stat = stat_of(entry->path())) all.push_back(*stat);
  }
  return all;
}

bool signal_process(const ProcessStat& seen, int number) {
  const Descriptor process(::pidfd_open(seen.id, 0));
  const auto now = stat_of("/proc/" + std::to_string(seen.id));  // of whom `process` keeps hold, or has gone
  if (!process || !now || now->start != seen.start) return false;
  return ::pidfd_send_signal(process.get(), number, nullptr, 0) == 0;
}

void keep_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool signal_descendants(pid_t session, int number) {
  std::set<std::pair<pid_t, std::uint64_t>> tried;
  bool has_reached = false;
  for (int look = 0; look < looks_max; ++look) {
    bool grew = false;
    for (const ProcessStat& each : descendants(processes(), ::getpid(), session)) {
      if (!tried.emplace(each.id, each.start).second) continue;
      has_reached = reach(each, number) || has_reached;
      grew = true;
    }
    if (!grew) break;
  }
  return has_reached;
}

bool has_descendants(pid_t session) { return !descendants(processes(), ::getpid(), session).empty(); }

}  // namespace lockd::lockctl
