// What may reach a terminal of bytes that anybody may have written.
#include "server/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace lockd::server {
namespace {

TEST(PrintableTest, text_is_as_it_is) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("a ~\\x\"'"), "a ~\\x\"'");
  EXPECT_EQ(printable("\xC3\xBC \xE2\x82\xAC \xF0\x9F\x94\x92"), "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x94\x92");
}

TEST(PrintableTest, what_steers_a_terminal_is_not) {
  EXPECT_EQ(printable("a\nb\r\t\x1B[31m\x7F"), "a\\x0Ab\\x0D\\x09\\x1B[31m\\x7F");
  EXPECT_EQ(printable(std::string(1, '\0')), "\\x00");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xC2\\x9B");                       // CSI
  EXPECT_EQ(printable("\xE2\x80\xAE"), "\\xE2\\x80\\xAE");              // from right to left
  EXPECT_EQ(printable("a\xE2\x80\x8B"), "a\\xE2\\x80\\x8B");            // no width
  EXPECT_EQ(printable("\xEF\xBB\xBFlisten"), "\\xEF\\xBB\\xBFlisten");  // as some editors begin a file
}

TEST(PrintableTest, what_is_no_text_is_not) {
  EXPECT_EQ(printable("\xFFz\xC3"), "\\xFFz\\xC3");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80");
}

TEST(PrintableTest, an_error_is_one_line) { EXPECT_EQ(error_line("a\nb"), "lockd: a\\x0Ab\n"); }

}  // namespace
}  // namespace lockd::server
