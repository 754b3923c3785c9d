// What a lock table remembers: plain records that lie in slabs and name one another by index.
#ifndef LOCKD_ENGINE_RECORDS_H_
#define LOCKD_ENGINE_RECORDS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/check.h"
#include "engine/hashed_key.h"
#include "engine/requests.h"
#include "engine/slab.h"
#include "engine/token_source.h"
#include "model/types.h"

namespace lockd::engine {

/// A key's bytes: short ones in place, as their words, longer ones on the heap. Plain data: whoever keeps it frees it
/// by hand, once.
class StoredKey {
 public:
  static constexpr std::size_t inline_bytes_max = short_key_bytes_max;

  /// Throws std::bad_alloc; nothing was there before.
  void assign(const HashedKey& key) {
    words_ = key.words;
    if (is_long()) keep_long(key.bytes);
  }

  /// A copy has its own bytes. Throws std::bad_alloc; then it is not to be freed.
  void assign(const StoredKey& other) {
    words_ = other.words_;
    if (is_long()) keep_long(other.view());
  }

  void free() noexcept {
    if (is_long()) delete[] remote().address;
    words_ = {};
  }

  bool equals(const HashedKey& key) const {
    const std::uint64_t difference =
        (words_[0] ^ key.words[0]) | (words_[1] ^ key.words[1]) | (words_[2] ^ key.words[2]);
    return difference == 0 || (is_long() && view() == key.bytes);  // a Remote's address is not 0, as a long key's words
  }

  std::string_view view() const {
    if (!is_long()) return {reinterpret_cast<const char*>(words_.data()), static_cast<std::size_t>(tag_of(words_))};
    const Remote found = remote();
    return {found.address, found.byte_count};
  }

 private:
  struct Remote {
    char* address;
    std::uint32_t byte_count;
  };

  bool is_long() const { return tag_of(words_) == long_key_tag; }

  /// Beneath the tag, which stays.
  void keep_long(std::string_view bytes) {
    LOCKD_CHECK(bytes.size() <= UINT32_MAX, "a key fits the line that brought it");
    const Remote remote{new char[bytes.size()], static_cast<std::uint32_t>(bytes.size())};
    std::ranges::copy(bytes, remote.address);
    static_assert(sizeof(Remote) <= 2 * sizeof(std::uint64_t));
    std::memcpy(words_.data(), &remote, sizeof remote);
  }

  Remote remote() const {
    Remote found{};
    std::memcpy(&found, words_.data(), sizeof found);
    return found;
  }

  KeyWords words_{};  // of a longer key its Remote and the tag
};
static_assert(sizeof(StoredKey) == 24);

/// A token and a moment in twelve bytes, aligned as the rest of a claim.
class Stamp {
 public:
  static constexpr int token_bits = 53;
  static constexpr int moment_bits = 43;
  static_assert(token_limit == std::uint64_t{1} << token_bits && token_bits + moment_bits == 3 * 32);

  Stamp() = default;
  Stamp(std::uint64_t token, Moment moment)
      : words_{low_word(token), low_word(token >> 32 | moment << token_high_bits),
               low_word(moment >> moment_low_bits)} {
    LOCKD_CHECK(token < token_limit && moment >> moment_bits == 0, "tokens are below 2^53, moments below 2^43");
  }

  std::uint64_t token() const { return words_[0] | (words_[1] & ((std::uint64_t{1} << token_high_bits) - 1)) << 32; }
  Moment moment() const {
    return static_cast<Moment>(words_[1]) >> token_high_bits | static_cast<Moment>(words_[2]) << moment_low_bits;
  }

 private:
  static constexpr int token_high_bits = token_bits - 32;       // they share the second word with
  static constexpr int moment_low_bits = 32 - token_high_bits;  // these

  static std::uint32_t low_word(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

  std::array<std::uint32_t, 3> words_{};
};

/// The ends of a list of claims that their key_previous and key_next link.
struct ClaimList {
  std::uint32_t first = no_index;
  std::uint32_t last = no_index;
};

/// That one session holds an exclusive key, which has no other holder: part of the key's record.
struct SoleHold {
  std::uint32_t session = no_index;
  std::uint32_t session_previous = no_index;  // the session's exclusive keys
  std::uint32_t session_next = no_index;
  Stamp stamp;  // its token, and since when it holds
};

/// A key that somebody holds. On a cache line of its own.
struct alignas(64) KeyRecord {
  KeyRecord() : hold() {}

  StoredKey text;
  std::uint32_t hash = 0;
  std::uint32_t holder_count : 31 = 0;
  LockKind kind : 1 = LockKind::exclusive;
  std::uint32_t line = no_index;  // its LineRecord, if somebody waits for it
  union {
    SoleHold hold;      // of an exclusive key
    ClaimList holders;  // of a shared one, in the order of taking
  };
};
static_assert(sizeof(KeyRecord) == 64);

/// That one session holds a shared key, or waits for a key.
struct ClaimRecord {
  std::uint32_t key = no_index;
  std::uint32_t session = no_index;
  std::uint32_t key_previous = no_index;  // the key's holders, or its line
  std::uint32_t key_next = no_index;
  std::uint32_t session_previous = no_index;  // the session's shared holds
  std::uint32_t session_next = no_index;      // the session's shared holds; of one who waits, its WaitRecord
  Stamp stamp;                                // its token, 0 if it waits, and since when it holds or waits

  bool waits() const { return stamp.token() == 0; }
};
static_assert(sizeof(ClaimRecord) == 36);

/// Those who wait for a key.
struct LineRecord {
  ClaimList claims;  // in the order of coming (W3)
  std::uint32_t count = 0;
};

/// What only one who waits needs: beside its claim, so that a lock that nobody waits for does without it.
struct WaitRecord {
  std::uint32_t limit = 1;         // let through when fewer hold the key (C2); 1 if exclusive
  std::uint32_t home = 0;          // for the Wakeup
  std::uint32_t older = no_index;  // the claims that wait in this table and kind, in the order of coming
  std::uint32_t newer = no_index;
};

/// The ends of that list.
struct AgeList {
  std::uint32_t oldest = no_index;
  std::uint32_t newest = no_index;
};

/// A session that holds something here, or waits for it, or has.
struct SessionRecord {
  SessionId id = SessionId::nobody;
  std::uint32_t hash = 0;
  std::uint32_t first_key = no_index;    // of the exclusive keys that it holds
  std::uint32_t first_claim = no_index;  // of those with which it holds shared keys
  std::uint32_t wait = no_index;         // the claim that waits
};
static_assert(sizeof(SessionRecord) == 24);

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_RECORDS_H_
