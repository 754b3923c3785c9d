// What no client can play must not pass for played.
#include "proptests/scenario_compare.h"

#include <string>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

std::string compared(const std::string& text) {
  return compare(read_transcript(text, "f", TranscriptFormat::scenario), "f").value_or("");
}

constexpr const char* cannot =
    ": clients cannot play this sequence, of which this line was left out; the rest shows no difference";

TEST(ScenarioCompare, plays_what_clients_do) {
  EXPECT_EQ(compared("flags --max-locks 1\nconnect a\nconnect b\na> g k\nb> gw 9 k\ntimeout b\nfinish a\nclose b\n"),
            "");
}

TEST(ScenarioCompare, nothing_to_play_is_no_success) {
  for (const char* text : {"", "# a comment\n", "flags --classic\n", "#! shards: 4\n"}) {
    EXPECT_EQ(compared(text), "f: there is nothing in it to play");
  }
}

TEST(ScenarioCompare, says_what_no_client_can_play) {
  EXPECT_EQ(compared("connect a\na> g k\n#! the end of a, a slice of 1\nclose a\n"), std::string("f:3") + cannot);
  EXPECT_EQ(compared("connect a\na> quit\na> ping\nclose a\n"), std::string("f:3") + cannot);
  EXPECT_EQ(compared("connect a\na> ping\ntimeout a\n"), std::string("f:3") + cannot);
}

}  // namespace
}  // namespace lockd::proptests
