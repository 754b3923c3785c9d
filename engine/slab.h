// Where the engine's records live: a growing array of small records that keep their index for as long as they live, so
// that links between them are 32-bit numbers, a copy of the whole is a copy of bytes, and a listing can go on where it
// stopped.
#ifndef LOCKD_ENGINE_SLAB_H_
#define LOCKD_ENGINE_SLAB_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "engine/prefetch.h"

namespace lockd::engine {

/// The index that no record has: the end of a list, "not found".
inline constexpr std::uint32_t no_index = UINT32_MAX;

#ifdef LOCKD_COUNT_SLAB_USES
/// How often records were used: in the one test program that is built so, to see what does not depend on how many there
/// are.
inline std::uint64_t slab_uses = 0;
#endif

/// Records of one type in chunks of at most 64 KiB.
///
/// - allocate() takes a free slot, release() gives it back; both O(1). A record never moves and its index is stable
/// while it lives.
/// - A chunk that becomes empty is freed, all but one: a table that is taken and released in turn does not call the
/// allocator each time.
/// - Only reserve_one() can fail (std::bad_alloc, nothing changed): reserve first, then allocate() cannot.
/// - Use of an index that is not live is a programmer's mistake and aborts.
///
/// A copy is independent; there is no assignment. Not thread-safe.
template <class Record>
class Slab {
  static_assert(std::is_trivially_copyable_v<Record> && std::is_trivially_destructible_v<Record>);

 public:
  static constexpr std::size_t chunk_bytes_max = 64 * 1024;
  static constexpr std::size_t allocator_bytes_max = 128;  // what malloc keeps beside a chunk, aligned as records are

  /// From one chunk's first index to the next one's: a power of two, so that an index splits by shift and mask; at
  /// least one word of the chunk's bitmap.
  static constexpr std::uint32_t index_stride =
      std::max<std::uint32_t>(64, std::bit_ceil((chunk_bytes_max - allocator_bytes_max) / sizeof(Record)));

  /// As many as the pages hold beside the chunk's header. The last indices of a stride are nobody's.
  static constexpr std::uint32_t records_per_chunk = [] {
    const std::size_t header = 16 + index_stride / 8 + alignof(Record);
    const std::size_t room = chunk_bytes_max - allocator_bytes_max - header;
    return std::max<std::uint32_t>(64, static_cast<std::uint32_t>(room / sizeof(Record)));
  }();

  Slab() = default;
  Slab(const Slab& other)
      : with_room_(other.with_room_), vacant_(other.vacant_), spare_(other.spare_), size_(other.size_) {
    chunks_.reserve(other.chunks_.size());
    for (const auto& chunk : other.chunks_) chunks_.push_back(chunk ? copy_of(*chunk) : nullptr);
    with_room_.reserve(chunks_.capacity());
    vacant_.reserve(chunks_.capacity());
  }
  Slab& operator=(const Slab&) = delete;
  ~Slab() = default;

  /// Makes sure that the next allocate() has a slot. Throws std::bad_alloc and changes nothing where memory is out.
  void reserve_one() {
    if (with_room_.empty()) add_chunk();
  }

  /// The index that the next allocate() will give. Needs a reserve_one() before it.
  std::uint32_t next_index() const {
    LOCKD_CHECK(!with_room_.empty(), "reserve_one() comes before allocate()");
    const std::uint32_t number = with_room_.back();
    return number * index_stride + chunks_[number]->first_free();
  }

  /// A live record and its index.
  struct Ref {
    std::uint32_t index = no_index;
    Record* record = nullptr;

    explicit operator bool() const { return record != nullptr; }
    Record& operator*() const { return *record; }
    Record* operator->() const { return record; }
  };

  /// Takes a slot, holding a value-initialised record. Needs a reserve_one() before it; cannot fail then.
  std::uint32_t allocate() noexcept { return allocate_ref().index; }
  Ref allocate_ref() noexcept {
    const std::uint32_t index = next_index();
    const std::uint32_t number = index / index_stride;
    Chunk& chunk = *chunks_[number];
    const std::uint32_t slot = index % index_stride;
    chunk.take(slot);
    if (chunk.live == records_per_chunk) remove_from_room_list(number);
    if (spare_ == number) spare_ = no_index;
    ++size_;
    return {index, ::new (chunk.record(slot)) Record{}};
  }

  /// Gives a live record's slot back.
  void release(std::uint32_t index) noexcept {
    LOCKD_CHECK(is_live(index), "only a live record is released");
    const std::uint32_t number = index / index_stride;
    Chunk& chunk = *chunks_[number];
    const bool was_full = chunk.live == records_per_chunk;
    chunk.give_back(index % index_stride);
    --size_;
    if (was_full) add_to_room_list(number);
    if (chunk.live == 0) retire(number);
  }

  bool is_live(std::uint32_t index) const {
    const std::uint32_t number = index / index_stride;
    return number < chunks_.size() && chunks_[number] && chunks_[number]->is_live(index % index_stride);
  }

  [[gnu::always_inline]] Record& operator[](std::uint32_t index) { return *at(index); }
  [[gnu::always_inline]] const Record& operator[](std::uint32_t index) const { return *at(index); }

  /// A live record, which who may only read the slab can still hand on to who may write.
  [[gnu::always_inline]] Ref at(std::uint32_t index) const {
    const Ref found = find(index);
    LOCKD_CHECK(found, "only live records are used");
    return found;
  }

  /// The same, or none: of an index that may be nobody's.
  [[gnu::always_inline]] Ref find(std::uint32_t index) const {
#ifdef LOCKD_COUNT_SLAB_USES
    ++slab_uses;
#endif
    const std::uint32_t number = index / index_stride;
    Chunk* const chunk = number < chunks_.size() ? chunks_[number].get() : nullptr;
    const std::uint32_t slot = index % index_stride;
    return chunk != nullptr && chunk->is_live(slot) ? Ref{index, chunk->record(slot)} : Ref{};
  }

  /// Asks for the cache line where a live record begins. Looks at no more than where its chunk is.
  void prefetch(std::uint32_t index) const noexcept {
    const std::uint32_t number = index / index_stride;
    LOCKD_CHECK(number < chunks_.size(), "only live records are asked for");
    prefetch_line(chunks_[number]->record(index % index_stride));
  }

  /// The first live index that is `from` or larger, or no_index: how listings and checks walk the slab. O(1) for each
  /// chunk passed over.
  std::uint32_t next_live(std::uint32_t from) const {
    for (std::uint32_t number = from / index_stride; number < chunks_.size(); ++number) {
      const std::uint32_t first_slot = number == from / index_stride ? from % index_stride : 0;
      if (!chunks_[number]) continue;
      const std::uint32_t slot = chunks_[number]->next_live(first_slot);
      if (slot < records_per_chunk) return number * index_stride + slot;
    }
    return no_index;
  }

  /// Live records.
  std::uint32_t size() const { return size_; }

  /// Chunks held now, the spare one included.
  std::size_t chunk_count() const { return chunks_.size() - vacant_.size(); }

 private:
  struct Chunk {
    std::uint32_t live = 0;           // records in use
    std::uint32_t used = 0;           // slots from here on were never in use: a copy leaves them out
    std::uint32_t free_hint = 0;      // no word of the bitmap below this one has a free slot
    std::uint32_t room_position = 0;  // where with_room_ names this chunk, if it does
    std::array<std::uint64_t, index_stride / 64> live_bits{};
    alignas(Record) std::array<std::byte, records_per_chunk * sizeof(Record)> bytes;

    Chunk() {}  // NOLINT(modernize-use-equals-default): leaves `bytes` uninitialised

    Record* record(std::uint32_t slot) { return reinterpret_cast<Record*>(bytes.data() + slot * sizeof(Record)); }
    bool is_live(std::uint32_t slot) const { return (live_bits[slot / 64] >> (slot % 64) & 1) != 0; }

    std::uint32_t first_free() const {
      std::uint32_t word = free_hint;
      while (live_bits[word] == UINT64_MAX) ++word;
      return word * 64 + static_cast<std::uint32_t>(std::countr_one(live_bits[word]));
    }

    std::uint32_t next_live(std::uint32_t slot) const {
      for (std::uint32_t word = slot / 64; word < live_bits.size(); ++word, slot = word * 64) {
        const std::uint64_t rest = live_bits[word] >> (slot % 64);
        if (rest != 0) return slot + static_cast<std::uint32_t>(std::countr_zero(rest));
      }
      return records_per_chunk;
    }

    void take(std::uint32_t slot) {
      live_bits[slot / 64] |= std::uint64_t{1} << (slot % 64);
      free_hint = slot / 64;
      used = std::max(used, slot + 1);
      ++live;
    }

    void give_back(std::uint32_t slot) {
      live_bits[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
      free_hint = std::min(free_hint, slot / 64);
      if (--live > 0) return;
      used = 0;
      free_hint = 0;
    }
  };

  static_assert(sizeof(Chunk) + allocator_bytes_max <= chunk_bytes_max || records_per_chunk == 64);

  static std::unique_ptr<Chunk> copy_of(const Chunk& from) {
    auto copy = std::unique_ptr<Chunk>(new Chunk);
    copy->live = from.live;
    copy->used = from.used;
    copy->free_hint = from.free_hint;
    copy->room_position = from.room_position;
    copy->live_bits = from.live_bits;
    std::memcpy(copy->bytes.data(), from.bytes.data(), from.used * sizeof(Record));
    return copy;
  }

  [[gnu::cold, gnu::noinline]] void add_chunk() {
    auto chunk =
        std::unique_ptr<Chunk>(new Chunk);  // not make_unique: the records stay uninitialised, their pages untouched
    if (vacant_.empty()) add_vacant_number();
    const std::uint32_t number = vacant_.back();
    vacant_.pop_back();
    chunks_[number] = std::move(chunk);
    add_to_room_list(number);
    spare_ = number;
  }

  /// One more number for a chunk, and room for it in both lists, so that neither ever allocates in release().
  void add_vacant_number() {
    LOCKD_CHECK(chunks_.size() < no_index / index_stride, "a slab holds fewer than 2^32 records");
    if (chunks_.size() == chunks_.capacity()) chunks_.reserve(2 * chunks_.capacity() + 1);
    with_room_.reserve(chunks_.capacity());
    vacant_.reserve(chunks_.capacity());
    vacant_.push_back(static_cast<std::uint32_t>(chunks_.size()));
    chunks_.emplace_back();
  }

  void add_to_room_list(std::uint32_t number) noexcept {
    chunks_[number]->room_position = static_cast<std::uint32_t>(with_room_.size());
    with_room_.push_back(number);
  }

  void remove_from_room_list(std::uint32_t number) noexcept {
    const std::uint32_t position = chunks_[number]->room_position;
    LOCKD_CHECK(with_room_[position] == number, "a chunk knows its place in the list");
    with_room_[position] = with_room_.back();
    chunks_[with_room_[position]]->room_position = position;
    with_room_.pop_back();
  }

  /// An empty chunk becomes the spare one, or goes back to the system if there is a spare already.
  void retire(std::uint32_t number) noexcept {
    if (spare_ == no_index) {
      spare_ = number;
      return;
    }
    remove_from_room_list(number);
    chunks_[number].reset();
    vacant_.push_back(number);
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;  // by number; empty where vacant
  std::vector<std::uint32_t> with_room_;        // numbers of the chunks with a free slot; the last is filled first
  std::vector<std::uint32_t> vacant_;           // numbers without a chunk
  std::uint32_t spare_ = no_index;              // the one chunk that may be empty
  std::uint32_t size_ = 0;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_SLAB_H_
