// What was found on a table must be said so that it can be played again.
#include "proptests/found_scenario.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

const SessionId one{1};
const SessionId two{2};

TEST(FoundScenario, bounds_are_flags) {
  EXPECT_EQ(scenario_of({.sessions = {one}, .locks_max = 2, .waiters_max = 1},
                        {{.session = one, .verb = Verb::get, .key = "a b"}}, WakeUps::as_told),
            "flags --max-locks 2 --max-waiters 1\nconnect 1\n1> g a\\x20b\n");
}

TEST(FoundScenario, what_no_flag_can_say_is_marked) {
  EXPECT_EQ(scenario_of({.sessions = {one}, .shard_count = 4, .grants_max = 5}, {}, WakeUps::as_told),
            "#! shards: 4\n#! tokens: 5\nconnect 1\n");
}

TEST(FoundScenario, S2_what_the_dead_do_is_marked) {
  const std::vector<Event> events = {
      {.session = one, .what = What::ends, .budget = 1},
      {.session = one, .verb = Verb::release, .key = "a"},
      {.session = one, .what = What::ends},
      {.session = one, .what = What::ends},
      {.session = two, .verb = Verb::release_all},
  };
  EXPECT_EQ(scenario_of({.sessions = {one, two}}, events, WakeUps::as_told),
            "connect 1\nconnect 2\n#! the end of 1, a slice of 1\n#! 1> r a\nclose 1\n#! close 1\n2> ra\n");
}

TEST(FoundScenario, W4_late_wake_ups_are_marked) {
  const std::vector<Event> events = {{.session = one, .verb = Verb::get_wait, .key = "a", .milliseconds = 5},
                                     {.session = one, .what = What::learns}};
  EXPECT_EQ(scenario_of({.sessions = {one}}, events, WakeUps::as_told),
            "#! who is handed a lock learns of it where this says so, or never\nconnect 1\n1> gw 5 a\n"
            "#! 1 learns that it got the lock\n");
  EXPECT_EQ(scenario_of({.sessions = {one}}, {events.front()}, WakeUps::at_once), "connect 1\n1> gw 5 a\n");
}

}  // namespace
}  // namespace lockd::proptests
