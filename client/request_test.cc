// What may be sent.
#include "client/request.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lockd {
namespace {

using std::chrono::milliseconds;
using namespace std::string_view_literals;

bool is_good(std::string_view key) { return !text_error("the key", key); }

TEST(Request, F3_keys_that_the_server_reads_as_they_are) {
  for (const std::string_view key : {""sv, "job"sv, "a b"sv, "a b c d"sv, "\0"sv, "a\0b"sv, "\xff\xfe"sv, ":"sv, "7"sv})
    EXPECT_TRUE(is_good(key)) << shown(key);
}

TEST(Request, F1_a_line_end_is_refused_wherever_it_stands) {
  for (const std::string_view key : {"\n"sv, "a\n"sv, "\na"sv, "a\nr b"sv, "a\r\nb"sv, "a\rb"sv, "a\r"sv}) {
    const auto error = text_error("the key", key);
    ASSERT_TRUE(error) << shown(key);
    EXPECT_EQ(error->cause, Cause::bad_argument);
    EXPECT_EQ(error->text, "the key must not contain a line end");
  }
}

TEST(Request, F3_blanks_that_the_server_would_drop_are_refused) {
  for (const std::string_view key : {" "sv, " a"sv, "a "sv, "\ta"sv, "a\v"sv, "a\f"sv})
    EXPECT_EQ(text_error("the name", key)->text,
              "the name must not begin or end with a blank: the server would drop it");
}

TEST(Request, F3_blanks_that_the_server_would_fold_are_refused) {
  for (const std::string_view key : {"a  b"sv, "a\tb"sv, "a\vb"sv, "a\fb"sv, "a \tb"sv, "a b  c"sv})
    EXPECT_EQ(text_error("the key", key)->text,
              "the key must not contain a tab or two blanks in a row: the server would read a single space");
}

TEST(Request, F9_numbers_have_bounds) {
  EXPECT_FALSE(wait_error(milliseconds(0)));
  EXPECT_FALSE(wait_error(milliseconds(2147483647)));
  EXPECT_TRUE(wait_error(milliseconds(-1)));
  EXPECT_TRUE(wait_error(milliseconds(2147483648)));
  EXPECT_TRUE(wait_error(milliseconds::max()));
  EXPECT_FALSE(limit_error(1));
  EXPECT_FALSE(limit_error(2147483647));
  EXPECT_TRUE(limit_error(0));
  EXPECT_TRUE(limit_error(2147483648));
}

TEST(Request, a_key_is_shown_so_that_a_terminal_survives_it) {
  EXPECT_EQ(shown("job 7"), "\"job 7\"");
  EXPECT_EQ(shown("\x1b[2J\"\\\xff"), R"("\x1B[2J\x22\x5C\xFF")");
  EXPECT_EQ(shown("a\x7f"), R"("a\x7F")");
  EXPECT_EQ(shown(std::string(65, 'k')), "\"" + std::string(64, 'k') + "\"...");
}

}  // namespace
}  // namespace lockd
