// The text of a history: read and written, and what is none.
#include "histories/history.h"

#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace lockd::histories {
namespace {

History read(const std::string& text) {
  std::istringstream in(text);
  return read_history(in);
}

std::string written(const History& history) {
  std::ostringstream out;
  write_history(out, history);
  return out.str();
}

TEST(HistoryText, is_written_as_it_was_read) {
  const std::string text =
      "1 0 0 has a\n"
      "1 1 2 g a = 1 Lock Get Success: a\n"
      "2 3 4 gw 50 b = 0 Lock Get Deadlock: b\n"
      "2 5 ? sgw 3 10 a\n"
      "3 6 7 sgl 2 a = 2 Shared Lock Get Success: a\n"
      "3 8 9 si a = 0 Shared Lock Not Locked: a\n"
      "3 8 9 t a = 9007199254740991 Lock Token: a\n"
      "3 10 11 ra = 0 Locks Released\n"
      "3 12 13 cancel = 0 Nothing To Cancel\n"
      "1 14 ? kill\n"
      "2 14 15 rst\n";
  EXPECT_EQ(written(read(text)), text);
}

TEST(HistoryText, comments_and_blank_lines_say_nothing) {
  EXPECT_EQ(written(read("# a comment\n\n1 1 2 r a = 0 Lock Release Failure: a\n")),
            "1 1 2 r a = 0 Lock Release Failure: a\n");
}

TEST(HistoryText, two_kinds_of_lock_and_their_acts) {
  EXPECT_EQ(kind_of(Act::get_wait), LockKind::exclusive);
  EXPECT_EQ(kind_of(Act::has), LockKind::exclusive);
  EXPECT_EQ(kind_of(Act::get_shared), LockKind::shared);
  EXPECT_EQ(kind_of(Act::token_shared), LockKind::shared);
  EXPECT_EQ(kind_of(Act::has_shared), LockKind::shared);
}

struct BadText {
  const char* text;
  const char* complaint;
};

class BadHistoryText : public ::testing::TestWithParam<BadText> {};

TEST_P(BadHistoryText, is_refused_with_its_line) {
  try {
    read(std::string("1 1 2 i a = 0 Lock Not Locked: a\n") + GetParam().text);
    FAIL() << "was read";
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with(std::string("line ")));
    EXPECT_NE(std::string(error.what()).find(GetParam().complaint), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    , BadHistoryText,
    ::testing::Values(BadText{"x 1 2 g a", "line 2: x should be a session's number"},
                      BadText{"1", "there should be the moment at which it was asked"},
                      BadText{"1 5", "there should be the moment at which it was answered, or ?"},
                      BadText{"1 5 soon g a", "soon should be a moment, or ?"},
                      BadText{"1 5 6", "there should be a verb"}, BadText{"1 5 6 grab a", "no such verb: grab"},
                      BadText{"1 5 6 gw a", "a should be milliseconds"}, BadText{"1 5 6 g", "there should be a key"},
                      BadText{"1 5 6 g a b", "one word too many: b"},
                      BadText{"1 5 6 g a", "an answered request needs its reply"},
                      BadText{"1 5 ? g a = 1 Lock Get Success: a", "a reply to what has none"},
                      BadText{"1 5 6 rst = 1 ok", "a reply to what has none"},
                      BadText{"1 5 6 g a = 1 Lock Get Success: b", "no reply to that request"},
                      BadText{"1 5 6 g a = 1 Lock Release Success: a", "no reply to that request"},
                      BadText{"1 5 6 iw a = 01 Lock Waiters: a", "no reply to that request"},
                      BadText{"1 5 6 g a = 1  Lock Get Success: a", "no reply to that request"},
                      BadText{"1 5 4 i a = 0 Lock Not Locked: a", "answered before it was asked"},
                      BadText{"1 0 4 i a = 0 Lock Not Locked: a", "asked before what stands before it"},
                      BadText{"1 5 ? g a\n1 6 7 i a = 0 Lock Not Locked: a",
                              "line 3: answered before what stands before"},
                      BadText{"1 5 6 rst\n1 7 8 i a = 0 Lock Not Locked: a", "line 3: the session had ended"}));

}  // namespace
}  // namespace lockd::histories
