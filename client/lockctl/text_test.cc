// Tests of what terminals are shown.
#include "client/lockctl/text.h"

#include <gtest/gtest.h>

#include <clocale>

namespace lockd::lockctl {

namespace {

/// In a locale with UTF-8, or in C.
class LockctlText : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr); }
  void TearDown() override { std::setlocale(LC_CTYPE, "C"); }
};

}  // namespace

TEST_F(LockctlText, text_stays) {
  EXPECT_EQ(printable("nightly report"), "nightly report");
  EXPECT_EQ(printable("ключ 鍵 é"), "ключ 鍵 é");
  EXPECT_EQ(printable("C:\\path \"q\""), "C:\\path \"q\"");
  EXPECT_EQ(printable(""), "");
}

TEST_F(LockctlText, what_steers_a_terminal_does_not) {
  EXPECT_EQ(printable("\x1b[2J\x07"), "\\x1B[2J\\x07");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\x7f"), "\\x7F");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xC2\\x9B31m");                               // CSI in one character
  EXPECT_EQ(printable("\u202Egnp"), "\\xE2\\x80\\xAEgnp");  // from right to left from here on
  EXPECT_EQ(printable("\u200B"), "\\xE2\\x80\\x8B");        // nothing to be seen
  EXPECT_EQ(printable("\n\r\t"), "\\x0A\\x0D\\x09");
}

TEST_F(LockctlText, what_cannot_be_seen) {
  EXPECT_EQ(printable("a\uFE0F"), "a\\xEF\\xB8\\x8F");  // chooses another form of what it follows
  EXPECT_EQ(printable("\U000E0041"), "\\xF3\\xA0\\x81\\x81");
  EXPECT_EQ(printable("\U000E0100"), "\\xF3\\xA0\\x84\\x80");
  EXPECT_EQ(printable("\u034F\u115F\u17B4\u180B\u3164\uFFA0"),
            "\\xCD\\x8F\\xE1\\x85\\x9F\\xE1\\x9E\\xB4\\xE1\\xA0\\x8B\\xE3\\x85\\xA4\\xEF\\xBE\\xA0");
}

TEST_F(LockctlText, what_is_written_onto_the_character_ahead_has_none) {
  EXPECT_EQ(printable("\u0301lead"), "\\xCC\\x81lead");
}

TEST_F(LockctlText, what_is_no_character) {
  EXPECT_EQ(printable("caf\xe9"), "caf\\xE9");
  EXPECT_EQ(printable("\xf0\x9f\x92"), "\\xF0\\x9F\\x92");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xED\\xA0\\x80");
}

TEST_F(LockctlText, columns) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("é"), 1U);
  EXPECT_EQ(columns_of("e\u0301"), 1U);
  EXPECT_EQ(columns_of("鍵"), 2U);
  EXPECT_EQ(columns_of("\x01"), 4U);
}

TEST_F(LockctlText, fitted_fills_up_and_cuts) {
  EXPECT_EQ(fitted("abc", 5), "abc  ");
  EXPECT_EQ(fitted("abc", 3), "abc");
  EXPECT_EQ(fitted("abcd", 3), "ab…");
  EXPECT_EQ(fitted("abcd", 1), "…");
  EXPECT_EQ(fitted("abcd", 0), "");
  EXPECT_EQ(fitted("", 2), "  ");
  EXPECT_EQ(fitted_right("abc", 5), "  abc");
  EXPECT_EQ(fitted_right("abcd", 3), "ab…");
}

TEST_F(LockctlText, no_character_is_cut_in_two) {
  EXPECT_EQ(fitted("鍵鍵", 4), "鍵鍵");
  EXPECT_EQ(fitted("鍵鍵", 3), "鍵…");
  EXPECT_EQ(fitted("a鍵鍵", 3), "a… ");
  EXPECT_EQ(fitted("e\u0301e\u0301", 1), "…");
  EXPECT_EQ(fitted("e\u0301bcd", 2), "e\u0301…");
  EXPECT_EQ(fitted("ab\x01", 5), "ab…  ");
}

TEST_F(LockctlText, without_utf_8) {
  std::setlocale(LC_CTYPE, "C");
  EXPECT_EQ(printable("é"), "\\xC3\\xA9");
  EXPECT_EQ(fitted("abcd", 3), "ab+");
}

TEST(LockctlUtf8, well_formed) {
  for (const char* text :
       {"", "abc", "é", "鍵", "\U0001F512", "\u007F", "\u0080", "\u07FF", "\u0800", "\uFFFF", "\U0010FFFF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(as_utf8(text), text);
  }
}

TEST(LockctlUtf8, malformed) {
  for (const char* text : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "\xe9 ", "\xe9\x8d ", "\xf0\x9f \x80", "\xf0\x9f\x92"}) {
    EXPECT_FALSE(is_utf8(text));
    EXPECT_TRUE(is_utf8(as_utf8(text)));
  }
  EXPECT_EQ(as_utf8("caf\xe9 é"), "caf\\xE9 é");
}

}  // namespace lockd::lockctl
