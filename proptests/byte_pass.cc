#include "proptests/byte_pass.h"

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include "proptests/last_words.h"
#include "proptests/recorded_sessions.h"

namespace lockd::proptests {
namespace {

/// A world with one client for each session, at its place among them, and one more who looks.
class World {
 public:
  World(const Explorer& explorer, const BytePassSides& sides)
      : sessions_(explorer.sessions()), keys_(explorer.keys()), clients_(sides.sessions, sides.reference, &scenario_) {
    for (std::size_t slot = 0; slot <= onlooker(); ++slot) clients_.connect(slot);
  }

  /// False where no client can do that.
  bool act(const Event& event) {
    const auto slot = static_cast<std::size_t>(std::ranges::find(sessions_, event.session) - sessions_.begin());
    if (!clients_.lockstep().is_connected(slot)) return false;
    switch (event.what) {
      case What::learns:
        return false;
      case What::times_out:
        clients_.time_out(slot);
        return true;
      case What::ends:
        clients_.reset(slot, event.budget);
        return true;
      case What::asks:
        if (event.budget != all_locks) return false;
        clients_.send(slot, request_of(event) + '\n');
        return true;
    }
    return false;
  }

  void look() {
    SessionLockstep& lockstep = clients_.lockstep();
    lockstep.compare_fates();
    std::string looks;
    std::string tokens;
    for (const Key& key : keys_) {
      for (const char* verb : {"i ", "si ", "iw ", "siw ", "d ", "sd "}) looks += verb + key + '\n';
      for (const char* verb : {"t ", "st "}) tokens += verb + key + '\n';
    }
    clients_.send(onlooker(), looks + "list\n");
    for (std::size_t slot = 0; slot < onlooker(); ++slot) {
      const bool answers = lockstep.is_connected(slot) && lockstep.next(slot) != server::Next::wait;
      if (answers) clients_.send(slot, tokens);
    }
    lockstep.compare_counters();
    lockstep.end_all();
  }

  std::string scenario() const { return scenario_.str(); }

 private:
  std::size_t onlooker() const { return sessions_.size(); }

  const std::vector<SessionId>& sessions_;
  const std::vector<Key>& keys_;
  std::ostringstream scenario_;
  RecordedSessions clients_;
};

/// Whether a client can do the event behind the way. Throws Difference as a scenario.
bool pass(World& world, const std::vector<Event>& way, const Event& event) {
  const LastWords words([&] { return say_crash(world.scenario()); });
  try {
    for (const Event& earlier : way) world.act(earlier);
    if (!world.act(event)) return false;
    world.look();
    return true;
  } catch (const Difference& difference) {
    throw Difference(world.scenario() + "# " + difference.what());
  }
}

}  // namespace

BytePassReport pass_on_bytes(const Explorer& explorer, const BytePassSides& sides) {
  BytePassReport report;
  const std::vector<Event> events = explorer.events();
  for (; report.states < explorer.state_count(); ++report.states) {
    const std::vector<Event> way = explorer.way_to(report.states);
    for (const Event& event : events) {
      try {
        World world(explorer, sides);
        report.events += pass(world, way, event) ? 1 : 0;
      } catch (const Difference& difference) {
        report.difference = difference.what();
        return report;
      }
    }
  }
  return report;
}

}  // namespace lockd::proptests
