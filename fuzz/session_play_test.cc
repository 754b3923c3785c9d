// An input of the session fuzzer as a scenario, by which a failure is read and played again.
#include "fuzz/session_play.h"

#include <sstream>
#include <string>

#include "fuzz/session_steps.h"
#include "gtest/gtest.h"

namespace lockd::fuzz {
namespace {

std::string repeated(const std::string& text, int times) { return times == 0 ? "" : text + repeated(text, times - 1); }

std::string scenario(const std::string& input) {
  std::ostringstream lines;
  play(input, &lines);
  return lines.str();
}

TEST(SessionPlay, a_client_is_connected_when_it_speaks_first_and_again_behind_its_end) {
  EXPECT_EQ(scenario(std::string(1, '\0') + "g k\nquit\n" + written(Action::cut, 0) + "r k"),
            "connect a1\na1>| g k\\nquit\\n\nconnect a2\na2>| r k\n");
}

TEST(SessionPlay, bytes_of_one_connection_stay_together_up_to_an_action) {
  EXPECT_EQ(scenario(std::string(1, '\0') + "g\tk" + written(Action::use, 2) + "i \\\x01\n" +
                     written(Action::finish, 2) + written(Action::reset, 0)),
            "connect a1\na1>| g\\tk\nconnect c1\nc1>| i \\\\\\x01\\n\nfinish c1\nreset a1\n");
}

TEST(SessionPlay, nobody_speaks_behind_his_fin) {
  const char small_output = 0b0010'0000;
  EXPECT_EQ(scenario(small_output + std::string("ping\n") + written(Action::stop_reading, 0) + std::string(40, '\n') +
                     "help\nping\n" + written(Action::finish, 0) + "r k\n" + written(Action::finish, 0)),
            "flags --max-output-bytes 32\nconnect a1\na1>| ping\\n\n#! a1 stops reading\na1>| " + repeated("\\n", 40) +
                "help\\nping\\n\nfinish a1\n");
}

TEST(SessionPlay, settings_are_flags_and_what_no_scenario_can_say_is_marked) {
  const char classic_and_bounds = static_cast<char>(0b1001'0001);
  EXPECT_EQ(
      scenario(classic_and_bounds + std::string("g k\n") + written(Action::stop_reading, 0) +
               written(Action::read_again, 0) + written(Action::time_out, 0) + written(Action::reset_in_slices, 0)),
      "flags --classic --max-input-bytes 24 --max-locks 2 --max-waiters 1\nconnect a1\n"
      "a1>| g k\\n\n#! a1 stops reading\n#! a1 reads again\nreset a1\n#! (in slices of 1)\n");
}

TEST(SessionPlay, only_a_wait_has_a_time_that_is_up) {
  EXPECT_EQ(scenario(std::string(1, '\0') + "g k\n" + written(Action::time_out, 0) + written(Action::use, 1) +
                     "gw 9 k\n" + written(Action::time_out, 1)),
            "connect a1\na1>| g k\\n\nconnect b1\nb1>| gw 9 k\\n\ntimeout b1\n");
}

}  // namespace
}  // namespace lockd::fuzz
