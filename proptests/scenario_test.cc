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

TEST_P(ScenarioPlayer, rejects_flags_that_no_server_has) {
  EXPECT_THROW(failure("flags --classik\nconnect a\n"), std::exception);
  EXPECT_THROW(failure("flags --max-locks\nconnect a\n"), std::exception);
}

// What never comes is waited for on a socket, for 20 s; so this is for the others.
class InProcessPlayer : public ScenarioPlayer {};

TEST_P(InProcessPlayer, rejects_a_reply_or_an_end_that_does_not_come) {
  EXPECT_TRUE(fails("connect a\na> ping\na< 1 pong\na< 1 pong\nfinish a\n", "f:3: "));
  EXPECT_TRUE(fails("connect a\na> ping\na< 1 pong\na< END-OF-STREAM\n", "f:4: "));
}

std::string name_of(const testing::TestParamInfo<std::string>& target) { return target.param; }

INSTANTIATE_TEST_SUITE_P(Targets, ScenarioPlayer, testing::ValuesIn(target_names()), name_of);
INSTANTIATE_TEST_SUITE_P(Targets, InProcessPlayer, testing::Values("model", "session", "bytewise"), name_of);

}  // namespace
}  // namespace lockd::proptests
