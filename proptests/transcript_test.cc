// Each kind of line, each escape, and each error with its place.
#include "proptests/transcript.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace lockd::proptests {
namespace {

std::vector<TranscriptStep> scenario(std::string_view text) {
  return read_transcript(text, "f", TranscriptFormat::scenario);
}

std::vector<TranscriptStep> recorded(std::string_view text) {
  return read_transcript(text, "f", TranscriptFormat::recorded);
}

// What is wrong with a text, or nothing.
std::string error_of(std::string_view text, TranscriptFormat format = TranscriptFormat::scenario) {
  try {
    read_transcript(text, "f", format);
    return "";
  } catch (const TranscriptError& error) {
    return error.what();
  }
}

TEST(Transcript, each_kind_of_step) {
  const std::vector<TranscriptStep> expected{
      {StepKind::flags, 2, "", "", {"--classic", "--max-locks", "2"}},
      {StepKind::connect, 4, "a", "", {}},
      {StepKind::send, 5, "a", "g k\n", {}},
      {StepKind::expect, 6, "a", "", {"1 Lock Get Success: k"}},
      {StepKind::send, 7, "a", "i ", {}},
      {StepKind::expect_nothing, 8, "a", "", {}},
      {StepKind::connect, 9, "b_2", "", {}},
      {StepKind::reset, 10, "b_2", "", {}},
      {StepKind::finish, 11, "a", "", {}},
      {StepKind::expect_any_order, 12, "a", "", {"k: a"}},
      {StepKind::expect_end, 13, "a", "", {}},
      {StepKind::close, 14, "a", "", {}},
  };
  EXPECT_EQ(scenario("# a comment\n"
                     "flags --classic  --max-locks 2\n"
                     " \t\n"
                     "connect a\n"
                     "a> g k\n"
                     "a< 1 Lock Get Success: k\n"
                     "a>| i \n"
                     "a< (nothing)\n"
                     "connect b_2\n"
                     "reset b_2\n"
                     "finish a\n"
                     "a<* k: a\n"
                     "a< END-OF-STREAM\n"
                     "close a"),
            expected);
}

TEST(Transcript, reply_lines_of_one_client_and_sort_make_one_step) {
  const auto steps = scenario("connect a\nconnect b\na< 1\n# between\na< 2\nb< 3\na< 4\na<* 5\na<* 6\na< 7\n");
  const std::vector<TranscriptStep> expected{
      {StepKind::expect, 3, "a", "", {"1", "2"}}, {StepKind::expect, 6, "b", "", {"3"}},
      {StepKind::expect, 7, "a", "", {"4"}},      {StepKind::expect_any_order, 8, "a", "", {"5", "6"}},
      {StepKind::expect, 10, "a", "", {"7"}},
  };
  EXPECT_EQ(std::vector(steps.begin() + 2, steps.end()), expected);
}

TEST(Transcript, W_T_steps_of_waits_and_tokens) {
  const std::vector<TranscriptStep> expected{
      {StepKind::wait, 2, "a", "", {}},
      {StepKind::time_out, 3, "a", "", {}},
      {StepKind::tokens, 4, "", "", {"x", "y_2", "z"}},
      {StepKind::expect, 5, "a", "", {"{token x} {number}"}},
  };
  const auto steps = scenario("connect a\nwaits a\ntimeout a\ntokens x < y_2 < z\na< {token x} {number}\n");
  EXPECT_EQ(std::vector(steps.begin() + 1, steps.end()), expected);
}

TEST(Transcript, blanks_and_empty_lines_count) {
  const auto steps = scenario("connect a\na>\na> \na>  g  \na<\na<  x \n");
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[1].bytes, "\n");
  EXPECT_EQ(steps[2].bytes, "\n");
  EXPECT_EQ(steps[3].bytes, " g  \n");
  EXPECT_EQ(steps[4].lines, (std::vector<std::string>{"", " x "}));
}

TEST(Transcript, scenario_escapes) {
  const auto steps = scenario("connect a\na> \\x00\\xfF\\\\x41\\t\\r\na>| g\\nr\\r\\n\na< \\x28nothing)\\r\xC3\xA9\n");
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[1].bytes, std::string("\0\xFF\\x41\t\r\n", 9));
  EXPECT_EQ(steps[2].bytes, "g\nr\r\n");
  EXPECT_EQ(steps[3].lines, std::vector<std::string>{"(nothing)\r\xC3\xA9"});
}

TEST(Transcript, recorded_bytes_are_latin1_and_have_one_escape) {
  const auto steps = recorded("connect 1\n1> g k\xC3\xA9\xC2\x80\xC3\xBF\\x41\\r\n1< a\\rb\\r\n1< \\t \n");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[1].bytes, "g k\xE9\x80\xFF\\x41\\r\n");
  EXPECT_EQ(steps[2].lines, (std::vector<std::string>{"a\\rb\r", "\\t "}));
}

TEST(Transcript, errors_say_where_and_what) {
  EXPECT_EQ(error_of("\nhello\n"), "f:2: no step: hello");
  EXPECT_EQ(error_of("connect a\n\n\na? x\n"), "f:4: no step: a?");
  EXPECT_EQ(error_of("connect a\na<> x\n"), "f:2: no step: a<>");
  EXPECT_EQ(error_of("connect a\na>x\n"), "f:2: no step: a>x");
  EXPECT_EQ(error_of("connect\n"), "f:1: no client's name: ");
  EXPECT_EQ(error_of("connect a b\n"), "f:1: no client's name: a b");
  EXPECT_EQ(error_of("> x\n"), "f:1: no client's name: ");
  EXPECT_EQ(error_of("connect a\nflags --classic\n"), "f:2: flags must be the first step");
  EXPECT_EQ(error_of("flags\nflags\n"), "f:2: flags must be the first step");
  EXPECT_EQ(error_of("connect a\na>|\n"), "f:2: no bytes to send");
  EXPECT_EQ(error_of("tokens\n"), "f:1: no token's name: ");
  EXPECT_EQ(error_of("tokens a\n"), "f:1: one token has no order");
  EXPECT_EQ(error_of("tokens a b\n"), "f:1: no `<` between tokens");
  EXPECT_EQ(error_of("tokens a < <\n"), "f:1: no token's name: <");
}

TEST(Transcript, bad_escapes_are_errors) {
  EXPECT_EQ(error_of("connect a\na> \\q\n"), "f:2: no escape: \\q");
  EXPECT_EQ(error_of("connect a\na> \\n\n"), "f:2: no escape: \\n");
  EXPECT_EQ(error_of("connect a\na< \\n\n"), "f:2: no escape: \\n");
  EXPECT_EQ(error_of("connect a\na> \\x4\n"), "f:2: no escape: \\x4");
  EXPECT_EQ(error_of("connect a\na> \\xg0\n"), "f:2: no escape: \\xg0");
  EXPECT_EQ(error_of("connect a\na> \\\n"), "f:2: no escape: \\");
  EXPECT_EQ(error_of("connect a\na> \xC4\x80\n", TranscriptFormat::recorded), "f:2: a character that is no byte");
  EXPECT_EQ(error_of("connect a\na> \xC3\n", TranscriptFormat::recorded), "f:2: a character that is no byte");
  EXPECT_EQ(error_of("connect a\na> \xC3(\n", TranscriptFormat::recorded), "f:2: a character that is no byte");
}

TEST(Transcript, clients_do_what_they_can) {
  EXPECT_EQ(error_of("a> g\n"), "f:1: never connected: a");
  EXPECT_EQ(error_of("connect a\nconnect a\n"), "f:2: connects twice: a");
  EXPECT_EQ(error_of("connect a\nclose a\nconnect a\n"), "f:3: connects twice: a");
  EXPECT_EQ(error_of("connect a\nfinish a\na> g\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("waits a\n"), "f:1: never connected: a");
  EXPECT_EQ(error_of("connect a\nfinish a\nwaits a\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\nfinish a\ntimeout a\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\nfinish a\nfinish a\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\nclose a\na< x\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\nreset a\nclose a\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\na< END-OF-STREAM\na< x\n"), "f:3: too late for that: a");
  EXPECT_EQ(error_of("connect a\nfinish a\na< x\na< END-OF-STREAM\nreset a\n"), "");
}

TEST(Transcript, R1_addresses_are_filled_in) {
  const std::map<std::string, std::string> addresses{{"1", "127.0.0.1:5"}, {"two", "unix:7"}};
  EXPECT_EQ(with_addresses("1 {1} {1}", addresses), "1 127.0.0.1:5 127.0.0.1:5");
  EXPECT_EQ(with_addresses(R"({"k":"{two}"})", addresses), R"({"k":"unix:7"})");
  EXPECT_EQ(with_addresses("{3} {} {1", addresses), "{3} {} {1");
  EXPECT_EQ(with_addresses("{{1}}", addresses), "{127.0.0.1:5}");
  EXPECT_EQ(with_addresses("", addresses), "");
}

TEST(Transcript, files_are_read_and_named_in_errors) {
  const std::string path = testing::TempDir() + "lockd_transcript_test.txt";
  std::ofstream(path) << "connect a\na> g k\n";
  EXPECT_EQ(load_transcript(path, TranscriptFormat::scenario).size(), 2U);
  std::ofstream(path) << "oops\n";
  EXPECT_THROW(
      try { load_transcript(path, TranscriptFormat::scenario); } catch (const TranscriptError& error) {
        EXPECT_EQ(error.what(), path + ":1: no step: oops");
        throw;
      },
      TranscriptError);
  std::remove(path.c_str());
  EXPECT_THROW(load_transcript(path, TranscriptFormat::scenario), TranscriptError);
}

}  // namespace
}  // namespace lockd::proptests
