// Tests of numbers and seconds out of text.
#include "client/lockctl/option_values.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

using std::chrono::milliseconds;

TEST(LockctlNumbers, digits_alone) {
  EXPECT_EQ(parse_whole_number("0", 0, 10), 0U);
  EXPECT_EQ(parse_whole_number("010", 0, 10), 10U);
  EXPECT_EQ(parse_whole_number("18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "-1", "+1", "0x1", "1e1", "1.0", "18446744073709551616", "one"}) {
    EXPECT_EQ(parse_whole_number(text, 0, UINT64_MAX), std::nullopt) << text;
  }
}

TEST(LockctlNumbers, bounds) {
  EXPECT_EQ(parse_whole_number("1", 1, 3), 1U);
  EXPECT_EQ(parse_whole_number("3", 1, 3), 3U);
  EXPECT_EQ(parse_whole_number("0", 1, 3), std::nullopt);
  EXPECT_EQ(parse_whole_number("4", 1, 3), std::nullopt);
}

TEST(LockctlSeconds, whole_and_parts) {
  constexpr milliseconds max(10'000);
  EXPECT_EQ(parse_seconds("0", max), milliseconds(0));
  EXPECT_EQ(parse_seconds("2", max), milliseconds(2000));
  EXPECT_EQ(parse_seconds("1.5", max), milliseconds(1500));
  EXPECT_EQ(parse_seconds(".25", max), milliseconds(250));
  EXPECT_EQ(parse_seconds("3.", max), milliseconds(3000));
  EXPECT_EQ(parse_seconds("0.007", max), milliseconds(7));
}

TEST(LockctlSeconds, rounded_up_to_milliseconds) {
  constexpr milliseconds max(10'000);
  EXPECT_EQ(parse_seconds("0.0001", max), milliseconds(1));
  EXPECT_EQ(parse_seconds("1.2340", max), milliseconds(1234));
  EXPECT_EQ(parse_seconds("1.23400001", max), milliseconds(1235));
  EXPECT_EQ(parse_seconds("0.9999", max), milliseconds(1000));
}

TEST(LockctlSeconds, bounds_and_nonsense) {
  constexpr milliseconds max(10'000);
  EXPECT_EQ(parse_seconds("10", max), max);
  EXPECT_EQ(parse_seconds("10.000", max), max);
  EXPECT_EQ(parse_seconds("10.001", max), std::nullopt);
  for (const char* text :
       {"", ".", "-1", "+1", "1,5", "1.5.5", "1.5s", "1s", "1e3", "inf", "nan", " 1", "99999999999999999999"}) {
    EXPECT_EQ(parse_seconds(text, max), std::nullopt) << text;
  }
}

}  // namespace lockd::lockctl
