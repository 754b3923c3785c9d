#include "proptests/byte_pass.h"

#include <algorithm>
#include <cstddef>
#include <sstream>

#include "proptests/session_lockstep.h"

namespace lockd::proptests {
namespace {

/// A world with one client for each session, at its place among them, and one more who looks.
class World {
 public:
  World(const std::vector<SessionId>& sessions, const std::vector<Key>& keys)
      : sessions_(sessions), keys_(keys), lockstep_({}) {
    for (std::size_t slot = 0; slot <= onlooker(); ++slot) lockstep_.connect(slot);
  }

  /// False where no client can do that.
  bool act(const Event& event) {
    const auto slot = static_cast<std::size_t>(std::ranges::find(sessions_, event.session) - sessions_.begin());
    if (!lockstep_.is_connected(slot)) return false;
    switch (event.what) {
      case What::learns:
        return false;
      case What::times_out:
        lockstep_.time_out(slot);
        return true;
      case What::ends:
        lockstep_.reset(slot, event.budget);
        return true;
      case What::asks:
        if (event.budget != all_locks) return false;
        lockstep_.send(slot, request_of(event) + '\n');
        return true;
    }
    return false;
  }

  void look() {
    lockstep_.compare_fates();
    std::string looks;
    std::string tokens;
    for (const Key& key : keys_) {
      for (const char* verb : {"i ", "si ", "iw ", "siw ", "d ", "sd "}) looks += verb + key + '\n';
      for (const char* verb : {"t ", "st "}) tokens += verb + key + '\n';
    }
    lockstep_.send(onlooker(), looks + "list\n");
    for (std::size_t slot = 0; slot < onlooker(); ++slot) {
      const bool answers = lockstep_.is_connected(slot) && lockstep_.next(slot) != server::Next::wait;
      if (answers) lockstep_.send(slot, tokens);
    }
    lockstep_.compare_counters();
    lockstep_.end_all();
  }

 private:
  std::size_t onlooker() const { return sessions_.size(); }

  const std::vector<SessionId>& sessions_;
  const std::vector<Key>& keys_;
  SessionLockstep lockstep_;
};

std::string scenario(const std::vector<Event>& way, const Event& last, const char* difference) {
  std::ostringstream text;
  for (const Event& event : way) text << event << '\n';
  text << last << "\n# " << difference;
  return text.str();
}

}  // namespace

BytePassReport pass_on_bytes(const Explorer& explorer, const std::vector<SessionId>& sessions,
                             const std::vector<Key>& keys) {
  BytePassReport report;
  const std::vector<Event> events = explorer.events();
  for (; report.states < explorer.state_count(); ++report.states) {
    const std::vector<Event> way = explorer.way_to(report.states);
    for (const Event& event : events) {
      try {
        World world(sessions, keys);
        for (const Event& earlier : way) world.act(earlier);
        if (!world.act(event)) continue;
        world.look();
        ++report.events;
      } catch (const Difference& difference) {
        report.difference = scenario(way, event, difference.what());
        return report;
      }
    }
  }
  return report;
}

}  // namespace lockd::proptests
