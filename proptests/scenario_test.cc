// The player of scenarios must reject what is wrong, on every target, and say where.
#include "proptests/scenario.h"

#include <gtest/gtest.h>

namespace lockd::proptests {
namespace {

class ScenarioPlayer : public testing::TestWithParam<std::string> {
 protected:
  // What goes wrong when `text` is played; "" if nothing.
  static std::string failure(const std::string& text) {
    const auto steps = read_transcript(text, "f", TranscriptFormat::scenario);
    const auto target = make_target(GetParam(), steps, LOCKD_BINARY);
    return play(steps, "f", *target).value_or("");
  }

  // The same, and where: the message has to begin with this.
  static testing::AssertionResult fails(const std::string& text, const std::string& beginning) {
    const std::string what = failure(text);
    if (what.starts_with(beginning)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << (what.empty() ? "it passes" : what);
  }
};

TEST_P(ScenarioPlayer, accepts_what_is_right) {
  EXPECT_EQ(failure("connect a\na> g k\na< 1 Lock Get Success: k\n"), "");
  EXPECT_EQ(failure("connect a\na> me\na< 1 {a} {a}\na> version\na< 1 lockd {version}\n"), "");
  EXPECT_EQ(failure("connect a\na> g k\na> g l\na< 1 Lock Get Success: k\na< 1 Lock Get Success: l\na> d\n"
                    "a<* l: {a}\na<* k: {a}\n"),
            "");
  EXPECT_EQ(failure("connect a\na> d\na< (nothing)\na> quit\na< END-OF-STREAM\n"), "");
  EXPECT_EQ(failure("connect a\nconnect b\na> g k\na< 1 Lock Get Success: k\nreset a\nb> g k\n"
                    "b< 1 Lock Get Success: k\nclose b\n"),
            "");
  EXPECT_EQ(failure("connect a\na>| pi\na< (nothing)\na>| ng\\n\na< 1 pong\nfinish a\na< END-OF-STREAM\n"), "");
}

TEST_P(ScenarioPlayer, rejects_what_has_nothing_to_play) {
  for (const char* text : {"", "# a comment\n\n", "flags --max-locks 2\n"}) {
    EXPECT_EQ(failure(text), "f: there is nothing in it to play");
  }
}

TEST_P(ScenarioPlayer, rejects_another_reply) {
  EXPECT_TRUE(fails("connect a\na> g k\na< 0 Lock Get Failure: k\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> g k\na< 1 Lock Get Success: K\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> g k\na< 1 Lock Get Success: k\\r\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\nconnect b\na> me\na< 1 {b} {b}\n", "f:4: "));
}

TEST_P(ScenarioPlayer, rejects_a_reply_too_many) {
  EXPECT_TRUE(fails("connect a\na> i k\n", "f:2: "));
  EXPECT_TRUE(fails("connect a\na> i k\na< (nothing)\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> i k\nconnect b\n", "f:2: "));
  EXPECT_TRUE(fails("connect a\na> i k\na> i k\na< 0 Lock Not Locked: k\na> i k\na< 0 Lock Not Locked: k\n", "f:4: "));
  EXPECT_TRUE(fails("connect a\na> i k\nclose a\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> i k\nfinish a\na< END-OF-STREAM\n", "f:4: "));
}

TEST_P(ScenarioPlayer, rejects_a_reply_too_few) {
  EXPECT_TRUE(fails("connect a\na> ping\nfinish a\na< 1 pong\na< 1 pong\n", "f:4: "));
  EXPECT_TRUE(fails("connect a\na> quit\na< 1 pong\n", "f:3: "));
}

TEST_P(ScenarioPlayer, rejects_another_order) {
  EXPECT_TRUE(fails("connect a\na> ping\na> g k\na< 1 Lock Get Success: k\na< 1 pong\n", "f:4: "));
  EXPECT_TRUE(
      fails("connect a\nconnect b\na> sg k\na< 1 Shared Lock Get Success: k\nb> sg k\n"
            "b< 2 Shared Lock Get Success: k\na> sd\na< k: {b}\na< k: {a}\n",
            "f:8: "));
}

TEST_P(ScenarioPlayer, rejects_lines_in_any_order_of_which_one_is_wrong) {
  const std::string two_locks = "connect a\na> g k\na< 1 Lock Get Success: k\na> g l\na< 1 Lock Get Success: l\na> d\n";
  EXPECT_TRUE(fails(two_locks + "a<* k: {a}\na<* m: {a}\n", "f:7: "));
  EXPECT_TRUE(fails(two_locks + "a<* k: {a}\na<* k: {a}\n", "f:7: "));
  EXPECT_TRUE(fails(two_locks + "a<* k: {a}\n", "f:7: "));
}

TEST_P(ScenarioPlayer, rejects_an_end_that_comes_unexpected) {
  EXPECT_TRUE(fails("connect a\na> quit\na< (nothing)\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> quit\nconnect b\n", "f:2: "));
}

// 6 lines.
std::string b_waits() { return "connect a\nconnect b\na> g k\na< 1 Lock Get Success: k\nb> gw 100000 k\nwaits b\n"; }

const char* const a_releases = "a> r k\na< 1 Lock Release Success: k\n";

TEST_P(ScenarioPlayer, W1_accepts_waits) {
  EXPECT_EQ(failure(b_waits()), "");
  EXPECT_EQ(failure(b_waits() + a_releases + "b< 1 Lock Get Success: k\nb> ping\nb< 1 pong\n"), "");
  EXPECT_EQ(failure(b_waits() + "b< (nothing)\nb> ping\n" + a_releases + "b< 1 Lock Get Success: k\nb< 1 pong\n"), "");
  EXPECT_EQ(failure(b_waits() + "b> cancel\nb< 0 Lock Get Canceled: k\nb< 1 Canceled\na> iw k\na< 0 Lock Waiters: k\n"),
            "");
  EXPECT_EQ(failure(b_waits() + "close b\na> iw k\na< 0 Lock Waiters: k\n"), "");
  EXPECT_EQ(failure(b_waits() + "reset b\na> iw k\na< 0 Lock Waiters: k\n"), "");
  EXPECT_EQ(failure(b_waits() + "finish b\nb< END-OF-STREAM\na> iw k\na< 0 Lock Waiters: k\n"), "");
  EXPECT_EQ(failure("connect a\nconnect b\na> iam x\na< 1 ok\nb> iam two  words\nb< 1 ok\na> sg k\n"
                    "a< 1 Shared Lock Get Success: k\nb> sgw 1 100000 k\nwaits b\n"),
            "");
}

TEST_P(ScenarioPlayer, W5_accepts_timeouts) {
  EXPECT_EQ(failure("connect a\nconnect b\na> g k\na< 1 Lock Get Success: k\nb> gw 30 k\nwaits b\ntimeout b\n"
                    "b< 0 Lock Get Timeout: k\na> iw k\na< 0 Lock Waiters: k\n"),
            "");
}

TEST_P(ScenarioPlayer, W5_rejects_the_time_of_no_wait) { EXPECT_TRUE(fails(b_waits() + "timeout a\n", "f:7: ")); }

TEST_P(ScenarioPlayer, W1_rejects_replies_to_a_wait) {
  EXPECT_TRUE(fails(b_waits() + a_releases + "b< 0 Lock Get Timeout: k\n", "f:9: "));
  EXPECT_TRUE(fails(b_waits() + a_releases + "b< 1 Lock Get Success: k\nb> i k\na> ping\na< 1 pong\n", "f:10: "));
}

// 6 lines.
std::string two_tokens() {
  return "connect a\na>| g k\\nt k\\nr k\\ng k\\nt k\\n\na< 1 Lock Get Success: k\na< {token x} Lock Token: k\n"
         "a< 1 Lock Release Success: k\na< 1 Lock Get Success: k\n";
}

TEST_P(ScenarioPlayer, T1_accepts_tokens) {
  EXPECT_EQ(failure(two_tokens() + "a< {token y} Lock Token: k\ntokens x < y\na> list\n"
                                   "a< x held {number} {token y} {a} k\na< END\n"),
            "");
}

TEST_P(ScenarioPlayer, T1_rejects_tokens) {
  EXPECT_NE(failure(two_tokens() + "a< {token x} Lock Token: k\n"), "");
  EXPECT_NE(failure(two_tokens() + "a< {token y} Lock Token: k\ntokens y < x\n"), "");
  EXPECT_NE(failure(two_tokens() + "a< {token y} Lock Token: k\ntokens x < z\n"), "");
  EXPECT_NE(failure(two_tokens() + "a< {token y} Lock Token: k\na> t k\na< {token z} Lock Token: k\n"), "");
  EXPECT_NE(failure(two_tokens() + "a< 0 Lock Not Held: k\n"), "");
}

TEST_P(ScenarioPlayer, E3_counters_with_open_numbers) {
  const std::string asks = "connect a\na> q\na< command_d: {number}\n";
  EXPECT_TRUE(fails(asks + "a< command_dump: 1\nfinish a\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> me\na< 1 {number}\nfinish a\n", "f:3: "));
}

TEST_P(ScenarioPlayer, rejects_flags_that_no_server_has) {
  EXPECT_THROW(failure("flags --classik\nconnect a\n"), std::exception);
  EXPECT_THROW(failure("flags --max-locks\nconnect a\n"), std::exception);
}

// What never comes is waited for on a socket, for 20 s; and a wake-up is on its way between threads when a scenario is
// at its end. So this is for the others.
class InProcessPlayer : public ScenarioPlayer {};

TEST_P(InProcessPlayer, rejects_a_reply_or_an_end_that_does_not_come) {
  EXPECT_TRUE(fails("connect a\na> ping\na< 1 pong\na< 1 pong\nfinish a\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> ping\na< 1 pong\na< END-OF-STREAM\n", "f:4: "));
  EXPECT_TRUE(fails(b_waits() + "b< 1 Lock Get Success: k\nfinish b\n", "f:7: "));
}

TEST_P(InProcessPlayer, W1_rejects_a_wait_that_is_none) {
  EXPECT_TRUE(fails("connect a\na> gw 100000 k\nwaits a\n", "f:3: "));
  EXPECT_TRUE(fails(b_waits() + "b> cancel\nwaits b\n", "f:8: "));
  EXPECT_TRUE(fails(b_waits() + a_releases + "waits b\n", "f:9: "));
}

TEST_P(InProcessPlayer, W1_rejects_a_wait_whose_reply_nobody_expects) {
  EXPECT_TRUE(fails(b_waits() + a_releases + "close b\n", "f:9: "));
  EXPECT_TRUE(fails(b_waits() + a_releases, "f:8: "));
}

TEST_P(InProcessPlayer, W1_rejects_a_wait_that_nobody_expects) {
  EXPECT_TRUE(
      fails("connect a\nconnect b\na> g k\na< 1 Lock Get Success: k\nb> gw 100000 k\na> ping\na< 1 pong\n", "f:5: "));
}

std::string name_of(const testing::TestParamInfo<std::string>& target) { return target.param; }

INSTANTIATE_TEST_SUITE_P(Targets, ScenarioPlayer, testing::ValuesIn(target_names()), name_of);
INSTANTIATE_TEST_SUITE_P(Targets, InProcessPlayer, testing::Values("model", "session", "bytewise"), name_of);

}  // namespace
}  // namespace lockd::proptests
