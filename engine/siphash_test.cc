// SipHash against published vectors: the 2-4 variant against its authors', the 1-3 variant against two other programs.
#include "engine/siphash.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

// The authors' input: the bytes 00, 01, 02 and so on.
std::string counting_bytes(std::size_t byte_count) {
  std::string bytes;
  for (std::size_t i = 0; i < byte_count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

// The authors' key, 00 to 0f.
constexpr HashSeed counting_seed{0x0706050403020100, 0x0f0e0d0c0b0a0908};

struct Vector {
  std::size_t byte_count;
  std::uint64_t hash;
};

TEST(SipHash, two_four_agrees_with_the_vectors_of_its_authors) {
  // The first 17 of the 64 in the reference implementation, and the last. The paper's own example is the one of 15
  // bytes.
  constexpr std::array<Vector, 18> vectors = {{
      {0, 0x726fdb47dd0e0e31},
      {1, 0x74f839c593dc67fd},
      {2, 0x0d6c8009d9a94f5a},
      {3, 0x85676696d7fb7e2d},
      {4, 0xcf2794e0277187b7},
      {5, 0x18765564cd99a68d},
      {6, 0xcbc9466e58fee3ce},
      {7, 0xab0200f58b01d137},
      {8, 0x93f5f5799a932462},
      {9, 0x9e0082df0ba9e4b0},
      {10, 0x7a5dbbc594ddb9f3},
      {11, 0xf4b32f46226bada7},
      {12, 0x751e8fbc860ee5fb},
      {13, 0x14ea5627c0843d90},
      {14, 0xf723ca908e7af2ee},
      {15, 0xa129ca6149be45e5},
      {16, 0x3f2acc7f57c29bdb},
      {63, 0x958a324ceb064572},
  }};
  using SipHash24 = SipHash<2, 4>;
  for (const auto& [byte_count, hash] : vectors) {
    EXPECT_EQ(SipHash24::hash(counting_seed, counting_bytes(byte_count)), hash) << byte_count << " bytes";
  }
}

TEST(SipHash, one_three_agrees_with_cpython) {
  // hash(bytes(range(n))) of CPython 3.11 under PYTHONHASHSEED=0, which is SipHash-1-3 with a key of zeros (masked to
  // 64 bits). Python gives 0 for no bytes, and -2 where the hash is -1: neither case is here.
  constexpr std::array<Vector, 8> vectors = {{
      {1, 0x68a914128e01e473},
      {7, 0x2f098ab0c751325a},
      {8, 0xead411e67ebe2eea},
      {9, 0x75927f9d95124362},
      {15, 0xf30eb725bb91c9ea},
      {16, 0x8972188433a5c5b7},
      {17, 0x4883c49a2c009c1d},
      {63, 0x385d3e39e5f37359},
  }};
  for (const auto& [byte_count, hash] : vectors) {
    EXPECT_EQ(SipHash13::hash({0, 0}, counting_bytes(byte_count)), hash) << byte_count << " bytes";
  }
  EXPECT_EQ(SipHash13::hash({0, 0}, "report"), 0xf18d5b0af29128b7);
}

TEST(SipHash, one_three_with_a_seed_agrees_with_openssl) {
  // openssl mac -macopt size:8 -macopt c-rounds:1 -macopt d-rounds:3 -macopt hexkey:000102..0f -in FILE SIPHASH
  // (OpenSSL 3.0), its bytes read as a little-endian number.
  constexpr std::array<Vector, 6> vectors = {{
      {0, 0xabac0158050fc4dc},
      {1, 0xc9f49bf37d57ca93},
      {7, 0xd3927d989bb11140},
      {8, 0x369095118d299a8e},
      {15, 0xd320d86d2a519956},
      {63, 0x9d199062b7bbb3a8},
  }};
  for (const auto& [byte_count, hash] : vectors) {
    EXPECT_EQ(SipHash13::hash(counting_seed, counting_bytes(byte_count)), hash) << byte_count << " bytes";
  }
}

TEST(SipHash, each_half_of_the_seed_matters) {
  const std::uint64_t hash = SipHash13::hash({1, 1}, "report");
  EXPECT_NE(SipHash13::hash({2, 1}, "report"), hash);
  EXPECT_NE(SipHash13::hash({1, 2}, "report"), hash);
}

TEST(SipHash, the_place_of_the_bytes_does_not_matter) {
  const std::string bytes = counting_bytes(40);
  const std::string shifted = "x" + bytes;
  EXPECT_EQ(SipHash13::hash(counting_seed, std::string_view(shifted).substr(1)), SipHash13::hash(counting_seed, bytes));
}

TEST(SipHash, numbers_are_hashed_as_their_bytes_each_in_its_place) {
  const HashSeed seed{1, 2};
  const auto low_half = [&](std::string_view bytes) {
    return static_cast<std::uint32_t>(SipHash13::hash(seed, bytes));
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(hash_of_numbers<1>(seed, {0x0102}), low_half("\2\1\0\0\0\0\0\0"sv));
  EXPECT_EQ(hash_of_numbers<2>(seed, {1, 2}), low_half("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"sv));
  EXPECT_NE(hash_of_numbers<2>(seed, {1, 2}), hash_of_numbers<2>(seed, {2, 1}));
}

}  // namespace
}  // namespace lockd::engine
