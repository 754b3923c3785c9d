// The printer's tests have more of sequences: what stands around them, and what is cut.
#include "server/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

namespace lockd::server {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t code_points_end = 0x110000;

bool is_surrogate(std::uint32_t code_point) { return code_point >= 0xD800 && code_point < 0xE000; }

// As RFC 3629 has it, section 3; of surrogates too, which it forbids.
std::string encoded(std::uint32_t code_point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xC0 | code_point >> 6), tail(0)};
  if (code_point < 0x10000) return {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, each_code_point_is_a_sequence_and_no_surrogate_is) {
  for (std::uint32_t code_point = 0; code_point < code_points_end; ++code_point) {
    const std::string bytes = encoded(code_point);
    const bool good = !is_surrogate(code_point);
    ASSERT_EQ(is_utf8(bytes), good) << code_point;
    ASSERT_EQ(utf8_sequence(bytes + "x"), good ? bytes.size() : 0) << code_point;
  }
}

// All of one to three bytes; of four, all that begin as no shorter sequence does, their tails at the bounds.
TEST(Utf8, nothing_else_is_a_sequence) {
  std::set<std::string> good;
  for (std::uint32_t code_point = 0; code_point < code_points_end; ++code_point)
    if (!is_surrogate(code_point)) good.insert(encoded(code_point));
  const auto check = [&](const std::string& bytes) {
    const std::size_t length = utf8_sequence(bytes);
    ASSERT_EQ(length == bytes.size(), good.contains(bytes)) << testing::PrintToString(bytes);
  };
  const std::string tails = "\x00\x7F\x80\x81\x8F\x90\x9F\xA0\xBE\xBF\xC0\xFF"s;
  for (int first = 0; first < 256; ++first) {
    check({static_cast<char>(first)});
    for (int second = 0; second < 256; ++second) {
      const std::string two{static_cast<char>(first), static_cast<char>(second)};
      check(two);
      for (const char third : tails) {
        check(two + third);
        for (const char fourth : tails) check(two + third + fourth);
      }
    }
  }
}

TEST(Utf8, a_text_is_sequences_from_end_to_end) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_EQ(utf8_sequence(""), 0U);
  EXPECT_TRUE(is_utf8("\0"s));
  EXPECT_TRUE(is_utf8("k\xC3\xA9y \xE2\x98\x83 \xF0\x9F\x94\x92"));
  for (const char* bad : {"good at first\xC3(", "\xC3", "\xE2\x98", "\xF0\x9F\x94", "ends\xF0\x9F\x94", "\xFFthen"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

}  // namespace
}  // namespace lockd::server
