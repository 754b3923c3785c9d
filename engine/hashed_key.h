// A key together with its hash and its words.
#ifndef LOCKD_ENGINE_HASHED_KEY_H_
#define LOCKD_ENGINE_HASHED_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/siphash.h"
#include "engine/words.h"

namespace lockd::engine {

/// A key of up to 23 bytes in three words: its bytes, zeros, and its length in the last byte. Such keys are equal if
/// their words are. Of a longer key only the last byte means something, and no short key has it.
using KeyWords = std::array<std::uint64_t, 3>;

inline constexpr std::size_t short_key_bytes_max = 23;
inline constexpr std::uint64_t long_key_tag = 0xff;

/// The last byte: a short key's length, or long_key_tag.
inline std::uint64_t tag_of(const KeyWords& words) { return words[2] >> 56; }

inline KeyWords words_of(std::string_view key) {
  const std::size_t size = key.size();
  if (size > short_key_bytes_max) return {0, 0, long_key_tag << 56};
  const std::uint64_t tag = std::uint64_t{size} << 56;
  if (size >= 16) return {word_at(key.data()), word_at(key.data() + 8), tail_of(key) | tag};
  if (size >= 8) return {word_at(key.data()), tail_of(key), tag};
  return {tail_of(key), 0, tag};
}

/// A key with its hash under a table's seed and its words, so that a request hashes and reads its key once, whoever
/// needs it. The bytes lie where they lay: it is of use for as long as they do.
struct HashedKey {
  std::string_view bytes;
  std::uint64_t hash = 0;  // SipHash-1-3
  KeyWords words{};        // words_of(bytes)
};

[[gnu::always_inline]] inline HashedKey hash_key(const HashSeed& seed, std::string_view key) {
  const KeyWords words = words_of(key);
  const bool is_short = key.size() <= short_key_bytes_max;
  return {key, is_short ? SipHash13::hash_of_padded(seed, words) : SipHash13::hash(seed, key), words};
}

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_HASHED_KEY_H_
