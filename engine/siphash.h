// SipHash (Aumasson and Bernstein, 2012), the keyed hash for tables whose keys come from strangers: without the seed
// nobody can choose keys that collide. lockd uses SipHash-1-3; the round counts are parameters so that the 2-4 variant
// can be held against the vectors that its authors published.
#ifndef LOCKD_ENGINE_SIPHASH_H_
#define LOCKD_ENGINE_SIPHASH_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/words.h"

namespace lockd::engine {

/// The 128-bit secret of a hash. Drawn at random by whoever builds the table: the engine itself draws nothing.
struct HashSeed {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// The hash of some bytes under a seed, by CompressionRounds a word and FinalizationRounds at the end. Pure.
template <int CompressionRounds, int FinalizationRounds>
class SipHash {
 public:
  static std::uint64_t hash(const HashSeed& seed, std::string_view bytes) {
    SipHash state(seed);
    const std::size_t whole_words = bytes.size() / 8;
    for (std::size_t i = 0; i < whole_words; ++i) state.absorb(word_at(bytes.data() + 8 * i));
    state.absorb(tail_of(bytes) | static_cast<std::uint64_t>(bytes.size()) << 56);
    return state.finish();
  }

  /// The same of up to 23 bytes that lie in three words, padded with zeros, their number in the last byte.
  [[gnu::always_inline]] static std::uint64_t hash_of_padded(const HashSeed& seed,
                                                             const std::array<std::uint64_t, 3>& words) {
    SipHash state(seed);
    const std::uint64_t size_byte = words[2] >> 56 << 56;
    const std::uint64_t whole_words = words[2] >> 59;
    if (whole_words == 2) {
      state.absorb(words[0]);
      state.absorb(words[1]);
      state.absorb(words[2]);
    } else if (whole_words == 1) {
      state.absorb(words[0]);
      state.absorb(words[1] | size_byte);
    } else {
      state.absorb(words[0] | size_byte);
    }
    return state.finish();
  }

 private:
  explicit SipHash(const HashSeed& seed)
      : v0_(seed.low ^ 0x736f6d6570736575),
        v1_(seed.high ^ 0x646f72616e646f6d),
        v2_(seed.low ^ 0x6c7967656e657261),
        v3_(seed.high ^ 0x7465646279746573) {}

  [[gnu::always_inline]] void absorb(std::uint64_t word) {
    v3_ ^= word;
    for (int i = 0; i < CompressionRounds; ++i) round();
    v0_ ^= word;
  }

  [[gnu::always_inline]] std::uint64_t finish() {
    v2_ ^= 0xff;
    for (int i = 0; i < FinalizationRounds; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

  [[gnu::always_inline]] void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
};

using SipHash13 = SipHash<1, 3>;

/// The hash of one number or of several, which strangers may have chosen: 32 bits, as the index tables take.
template <std::size_t Count>
std::uint32_t hash_of_numbers(const HashSeed& seed, const std::array<std::uint64_t, Count>& numbers) {
  return static_cast<std::uint32_t>(
      SipHash13::hash(seed, {reinterpret_cast<const char*>(numbers.data()), sizeof numbers}));
}

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_SIPHASH_H_
