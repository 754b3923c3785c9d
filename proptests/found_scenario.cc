#include "proptests/found_scenario.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace lockd::proptests {
namespace {

void write_settings(std::ostream& out, const Lockstep::Config& config) {
  if (config.locks_max != 0 || config.waiters_max != 0) {
    out << "flags";
    if (config.locks_max != 0) out << " --max-locks " << config.locks_max;
    if (config.waiters_max != 0) out << " --max-waiters " << config.waiters_max;
    out << '\n';
  }
  if (config.shard_count != 1) out << "#! shards: " << config.shard_count << '\n';
  if (config.grants_max != 0) out << "#! tokens: " << config.grants_max << '\n';
}

bool waits(const Event& event) { return is_get(event) && event.milliseconds > 0; }

}  // namespace

std::string scenario_of(const Lockstep::Config& config, const std::vector<Event>& events, WakeUps wake_ups) {
  std::ostringstream text;
  write_settings(text, config);
  if (wake_ups == WakeUps::as_told && std::ranges::any_of(events, waits)) {
    text << "#! who is handed a lock learns of it where this says so, or never\n";
  }
  for (const SessionId session : config.sessions) text << "connect " << static_cast<std::uint64_t>(session) << '\n';
  std::set<SessionId> dead;
  std::set<SessionId> gone;  // of the dead, those whose client has closed
  for (const Event& event : events) {
    const bool closes = event.what == What::ends && event.budget == all_locks;
    const bool can_be = closes ? !gone.contains(event.session) : !dead.contains(event.session);
    std::ostringstream line;
    line << event;
    text << (can_be || line.str().starts_with("#!") ? "" : "#! ") << line.str() << '\n';
    if (event.what == What::ends) dead.insert(event.session);
    if (closes) gone.insert(event.session);
  }
  return text.str();
}

}  // namespace lockd::proptests
