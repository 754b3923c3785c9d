// Whether the words of the processor and single bytes agree about which bytes are low.
#include "server/low_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lockd::server {
namespace {

constexpr std::size_t offset_max = 16;  // beyond what a text's place in memory can matter by

TEST(LowBytes, are_those_below_0x21_in_the_first_32) {
  EXPECT_EQ(low_bytes("0123456789abcdef"), 0U);
  EXPECT_EQ(low_bytes("\n123456789abcde\n"), 0x8001U);
  EXPECT_EQ(low_bytes("g key-of-21-characters\nr key\n"), 1U << 1 | 1U << 22 | 1U << 24 | 1U << 28);
  EXPECT_EQ(low_bytes("0123456789abcdef0123456789abcd\t\n\n\n"), 3U << 30);
}

TEST(LowBytes, of_each_value_at_each_place_are_those_that_are_found_one_by_one) {
  for (std::size_t size = low_bytes_seen_min; size <= low_bytes_seen_max + 17; ++size) {
    std::string text(size, 'k');
    for (char& byte : text) {
      for (int value = 0; value < 256; ++value) {
        byte = static_cast<char>(value);
        ASSERT_EQ(low_bytes(text), low_bytes_one_by_one(text)) << size << " bytes, " << &byte - text.data();
      }
      byte = 'k';
    }
  }
}

TEST(LowBytes, are_the_same_wherever_the_text_lies_and_whatever_lies_around_it) {
  for (std::size_t size = low_bytes_seen_min; size <= low_bytes_seen_max + 1; ++size) {
    for (std::size_t offset = 0; offset < offset_max; ++offset) {
      std::string memory(offset + size + offset_max, '\n');
      std::fill_n(memory.begin() + static_cast<std::ptrdiff_t>(offset), size, '!');
      const std::string_view text(memory.data() + offset, size);
      ASSERT_EQ(low_bytes(text), 0U) << size << " bytes at " << offset;
      memory[offset + size - 1] = ' ';
      ASSERT_EQ(low_bytes(text), low_bytes_one_by_one(text)) << size << " bytes at " << offset;
    }
  }
}

TEST(LowBytes, of_each_value_at_each_place_are_seen_in_texts_of_any_length) {
  for (std::size_t size = 0; size <= 4 * sizeof(std::uint64_t) + 1; ++size) {
    std::string text(size, '\xff');
    ASSERT_FALSE(has_low_byte(text)) << size << " bytes";
    for (char& byte : text) {
      for (int value = 0; value < 256; ++value) {
        byte = static_cast<char>(value);
        ASSERT_EQ(has_low_byte(text), value < 0x21) << size << " bytes, " << &byte - text.data() << ": " << value;
      }
      byte = '\xff';
    }
  }
}

TEST(LowBytes, one_by_one_is_of_any_text) {
  EXPECT_EQ(low_bytes_one_by_one(""), 0U);
  EXPECT_EQ(low_bytes_one_by_one(" !\x1f\x7f\x80\xff"), 5U);
}

}  // namespace
}  // namespace lockd::server
