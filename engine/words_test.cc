// Words read from bytes of every length, with each byte at each place.
#include "engine/words.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

constexpr std::size_t length_max = 24;

// By the book: byte by byte.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return word;
}

// Bytes in a block of their own, so that AddressSanitizer sees a look beyond either end.
class Block {
 public:
  explicit Block(std::size_t size) : size_(size), bytes_(new char[size]) {
    for (std::size_t i = 0; i < size; ++i) bytes_[i] = static_cast<char>(0x11 * (i % 13 + 1));
  }
  char& operator[](std::size_t at) { return bytes_[at]; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

TEST(Words, the_tail_is_what_lies_behind_the_last_whole_word_for_every_length) {
  for (std::size_t length = 0; length <= length_max; ++length) {
    const Block block(length);
    EXPECT_EQ(tail_of(block.view()), word_of(block.view().substr(length / 8 * 8))) << length;
  }
}

TEST(Words, each_byte_at_each_place_of_each_length_counts) {
  for (std::size_t length = 1; length <= length_max; ++length) {
    Block block(length);
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        block[at] = static_cast<char>(byte);
        ASSERT_EQ(tail_of(block.view()), word_of(block.view().substr(length / 8 * 8))) << length << " " << at;
        if (at / 8 * 8 + 8 > length) continue;
        ASSERT_EQ(word_at(block.view().data() + at / 8 * 8), word_of(block.view().substr(at / 8 * 8, 8)));
      }
    }
  }
}

}  // namespace
}  // namespace lockd::engine
