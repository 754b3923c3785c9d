// SessionLockstep must find a reference that lies, and no fault where it does not.
#include "proptests/session_lockstep.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

using Config = SessionLockstep::Config;

// Whether what two clients do shows a difference; what it says, or "".
std::string difference(const Config& sessions, const Config& reference) {
  SessionLockstep world(sessions, reference);
  try {
    world.connect(0);
    world.connect(1);
    world.send(0, "g a\ng b\ng abcdef\niam x\ndump\nfrob\n");
    world.send(1, "gw 9 a\n");
    world.time_out(1);
    world.connect(2);
    world.send(1, "gw 9 a\n");
    world.send(2, "gw 9 a\n");
    world.send(0, "r a\n");
    world.compare_fates();
    world.compare_counters();
    world.end_all();
    return "";
  } catch (const Difference& found) {
    return found.what();
  }
}

Config with(const std::function<void(Config&)>& change) {
  Config config;
  change(config);
  return config;
}

TEST(SessionLockstep, sound_sides_agree) {
  EXPECT_EQ(difference({}, {}), "");
  const Config small = with([](Config& config) { config.locks_max = config.waiters_max = 1; });
  EXPECT_EQ(difference(small, small), "");
}

TEST(SessionLockstep, F6_F8_S5_W7_L4_a_reference_that_goes_by_other_settings_is_found) {
  const Config others[] = {
      with([](Config& config) { config.settings.line_bytes_max = 5; }),
      with([](Config& config) { config.settings.classic = true; }),
      with([](Config& config) { config.settings.dump = false; }),
      with([](Config& config) { config.settings.registry = false; }),
      with([](Config& config) { config.locks_max = 2; }),
      with([](Config& config) { config.waiters_max = 1; }),
  };
  for (const Config& other : others) {
    EXPECT_NE(difference({}, other), "");
    EXPECT_NE(difference(other, {}), "");
  }
}

}  // namespace
}  // namespace lockd::proptests
