// Bytes read as whole words.
#ifndef LOCKD_ENGINE_WORDS_H_
#define LOCKD_ENGINE_WORDS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lockd::engine {

static_assert(std::endian::native == std::endian::little, "words are read as they lie");

/// The eight bytes from `from` on, the first in the lowest place.
inline std::uint64_t word_at(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Those behind the last whole word, of which there are size % 8, the first in the lowest place and zeros above.
/// Without a loop, and without a look at what is not among `bytes`.
[[gnu::always_inline]] inline std::uint64_t tail_of(std::string_view bytes) {
  const std::size_t count = bytes.size() % 8;
  const char* const end = bytes.data() + bytes.size();
  if (bytes.size() >= 8) return word_at(end - 8) >> 8 >> (56 - 8 * count);  // 64 at once would be too far
  if (count == 0) return 0;
  const char* const from = end - count;
  if (count >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, end - 4, sizeof last);
    return first | std::uint64_t{last} << (8 * (count - 4));
  }
  const auto byte = [from](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(from[at])} << (8 * at); };
  return byte(0) | byte(count / 2) | byte(count - 1);
}

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_WORDS_H_
