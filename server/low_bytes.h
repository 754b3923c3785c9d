// Where blanks, line feeds and control characters lie in a text: few lines have any but behind their words.
#ifndef LOCKD_SERVER_LOW_BYTES_H_
#define LOCKD_SERVER_LOW_BYTES_H_

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/words.h"

namespace lockd::server {

/// Low bytes are those below this one: all blanks, the line feed, the other control characters.
inline constexpr unsigned char first_high_byte = 0x21;

/// Whether a text has one, however long it is. Eight bytes at a time.
inline bool has_low_byte(std::string_view text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  const auto low_bytes_at = [&](std::size_t at) {
    const std::uint64_t eight = engine::word_at(text.data() + at);
    return (eight - each * first_high_byte) & ~eight & each * 0x80;
  };
  if (text.size() < 8) return std::ranges::any_of(text, [](unsigned char byte) { return byte < first_high_byte; });
  std::uint64_t low = low_bytes_at(text.size() - 8);
  for (std::size_t at = 0; at + 8 < text.size(); at += 8) low |= low_bytes_at(at);
  return low != 0;
}

/// The next two tell where they are, but of longer texts only the beginning is looked at.
inline constexpr std::size_t low_bytes_seen_max = 32;

/// Bit i says whether byte i of the text is a low one. Of any text.
constexpr std::uint32_t low_bytes_one_by_one(std::string_view text) {
  const std::size_t size = std::min(text.size(), low_bytes_seen_max);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < size; ++i)
    bits |= std::uint32_t{static_cast<unsigned char>(text[i]) < first_high_byte} << i;
  return bits;
}

/// The same of a text of at least so many bytes.
inline constexpr std::size_t low_bytes_seen_min = 16;

#ifdef __SSE2__
inline std::uint32_t low_bytes_of_16(const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i most = _mm_set1_epi8(first_high_byte - 1);
  const __m128i are_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, most), bytes);  // there is no "less" of unsigned bytes
  return static_cast<std::uint32_t>(_mm_movemask_epi8(are_low));
}

inline std::uint32_t low_bytes(std::string_view text) {
  const std::size_t second = std::min(text.size() - 16, std::size_t{16});
  return low_bytes_of_16(text.data()) | low_bytes_of_16(text.data() + second) << second;
}
#else
inline std::uint32_t low_bytes(std::string_view text) { return low_bytes_one_by_one(text); }
#endif

}  // namespace lockd::server

#endif  // LOCKD_SERVER_LOW_BYTES_H_
