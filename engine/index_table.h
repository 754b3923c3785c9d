// How the engine finds a record by its hash: hash tables that hold nothing but 32-bit slab indices, four bytes an
// entry.
#ifndef LOCKD_ENGINE_INDEX_TABLE_H_
#define LOCKD_ENGINE_INDEX_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "engine/prefetch.h"
#include "engine/slab.h"

namespace lockd::engine {

/// Open addressing with linear probing, at most three quarters full, by the low bits of a 32-bit hash. Removal shifts
/// the entries behind it back, so that there are no tombstones and a table's speed does not depend on its history.
///
/// An entry is a record's index, 24 bits of it, beneath a mark: how far the entry lies from the first place of its
/// hash, in three bits, and five bits of the hash that the place does not show. So find() asks about hardly any record
/// but the right one, and erase() moves entries without a look at theirs. An index that is too large for 24 bits takes
/// all 32 from then on, until the table grows or shrinks again, and works without marks.
///
/// The table does not know the records: callers pass `matches(index) -> bool`, the question whether that record is the
/// one looked for, and `hash_of(index) -> uint32_t`, the hash under which that record was inserted. Only reserve_one()
/// can fail. Copyable; not thread-safe.
class IndexTable {
 public:
  IndexTable() { few_.fill(no_index); }
  IndexTable(const IndexTable& other)
      : many_(other.many_ ? new std::uint32_t[other.capacity_] : nullptr),
        entries_(many_ ? many_.get() : few_.data()),
        capacity_(other.capacity_),
        size_(other.size_),
        index_mask_(other.index_mask_) {
    std::copy_n(other.entries_, capacity_, entries_);
  }
  IndexTable& operator=(const IndexTable&) = delete;
  ~IndexTable() = default;

  /// The index for which `matches` says yes among those of this hash, or no_index.
  template <class Matches>
  [[gnu::always_inline]] std::uint32_t find(std::uint32_t hash, Matches matches) const {
    const std::uint32_t mark_mask = ~index_mask_;
    for (std::uint32_t distance = 0;; ++distance) {
      const std::uint32_t entry = entries_[(hash + distance) & mask()];
      if (entry == no_index) return no_index;
      const bool is_marked = ((entry ^ mark(hash, distance)) & mark_mask) == 0;
      if (is_marked && matches(entry & index_mask_)) return entry & index_mask_;
    }
  }

  /// Asks for the cache line where find() begins.
  void prefetch(std::uint32_t hash) const noexcept { prefetch_line(&entries_[hash & mask()]); }

  /// The index that find() will ask about first, if it does not lie further on, or no_index.
  std::uint32_t first_of_run(std::uint32_t hash) const noexcept {
    const std::uint32_t entry = entries_[hash & mask()];
    const bool is_marked = ((entry ^ mark(hash, 0)) & ~index_mask_) == 0;
    return is_marked && entry != no_index ? entry & index_mask_ : no_index;
  }

  /// Makes sure that the next insert() has room. Throws std::bad_alloc and changes nothing where memory is out.
  template <class HashOf>
  void reserve_one(HashOf hash_of) {
    if (!has_room()) resize(capacity_ * 2, hash_of);
  }

  /// Adds an index that is not there yet. Needs a reserve_one() before it; cannot fail then.
  void insert(std::uint32_t hash, std::uint32_t index) noexcept {
    LOCKD_CHECK(has_room(), "reserve_one() comes before insert()");
    place(hash, index);
    ++size_;
  }

  /// Removes an index that is there.
  template <class HashOf>
  void erase(std::uint32_t hash, std::uint32_t index, HashOf hash_of) noexcept {
    std::uint32_t hole = hash & mask();
    while ((entries_[hole] & index_mask_) != index) {
      LOCKD_CHECK(entries_[hole] != no_index, "only what is in the table is removed");
      hole = (hole + 1) & mask();
    }
    close_hole(hole, hash_of);
    --size_;
    if (capacity_ > smallest && std::size_t{size_} * 8 < capacity_) shrink(hash_of);
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }

 private:
  /// The table has room for as many without any memory besides: a few entries that come and go cost no allocation, and
  /// what large tables give back lies in one piece.
  static constexpr std::uint32_t smallest = 32;

  static constexpr int index_bits = 24;
  static constexpr int distance_bit = 29;
  static constexpr std::uint32_t narrow = (std::uint32_t{1} << index_bits) - 1;  // as index_mask_: with marks
  static constexpr std::uint32_t wide = UINT32_MAX;                              // without
  static constexpr std::uint32_t far = 7;                                        // a distance of this or more

  std::uint32_t mask() const { return capacity_ - 1; }
  bool has_room() const { return (std::uint64_t{size_} + 1) * 4 <= std::uint64_t{capacity_} * 3; }

  static std::uint32_t distance_mark(std::uint32_t distance) { return std::min(distance, far) << distance_bit; }

  /// The bits 19 to 23 of the hash: above those that choose a place in all but the largest tables, and below those that
  /// choose one of 256.
  static std::uint32_t mark(std::uint32_t hash, std::uint32_t distance) {
    return distance_mark(distance) | (hash >> 19 & 31) << index_bits;
  }

  void place(std::uint32_t hash, std::uint32_t index) noexcept {
    if (index >= index_mask_) widen();
    std::uint32_t distance = 0;
    while (entries_[(hash + distance) & mask()] != no_index) ++distance;
    entries_[(hash + distance) & mask()] = index | (mark(hash, distance) & ~index_mask_);
  }

  /// The marks make way for longer indices.
  void widen() noexcept {
    LOCKD_CHECK(index_mask_ == narrow, "no record has the index that means none");
    for (std::uint32_t at = 0; at < capacity_; ++at) {
      if (entries_[at] != no_index) entries_[at] &= narrow;
    }
    index_mask_ = wide;
  }

  /// Each entry behind the hole moves into it unless that would put it before its own first place.
  template <class HashOf>
  void close_hole(std::uint32_t hole, HashOf hash_of) noexcept {
    for (std::uint32_t at = (hole + 1) & mask(); entries_[at] != no_index; at = (at + 1) & mask()) {
      const std::uint32_t distance = distance_at(at, hash_of);
      const std::uint32_t gap = (at - hole) & mask();
      if (distance < gap) continue;
      entries_[hole] = index_mask_ == wide ? entries_[at] : moved(entries_[at], distance - gap);
      hole = at;
    }
    entries_[hole] = no_index;
  }

  /// How far the entry lies from the first place of its hash.
  template <class HashOf>
  std::uint32_t distance_at(std::uint32_t at, HashOf hash_of) const noexcept {
    const std::uint32_t marked = entries_[at] >> distance_bit;
    if (index_mask_ == narrow && marked < far) return marked;
    return (at - hash_of(entries_[at] & index_mask_)) & mask();
  }

  static std::uint32_t moved(std::uint32_t entry, std::uint32_t distance) {
    return (entry & ((std::uint32_t{1} << distance_bit) - 1)) | distance_mark(distance);
  }

  template <class HashOf>
  void resize(std::uint32_t capacity, HashOf hash_of) {
    LOCKD_CHECK(capacity > size_, "a table is a power of two below 2^32");
    std::unique_ptr<std::uint32_t[]> many(capacity == smallest ? nullptr : new std::uint32_t[capacity]);
    many.swap(many_);
    const std::uint32_t* const old = std::exchange(entries_, many_ ? many_.get() : few_.data());
    const std::uint32_t old_capacity = std::exchange(capacity_, capacity);
    const std::uint32_t old_index_mask = std::exchange(index_mask_, narrow);
    std::fill_n(entries_, capacity, no_index);
    for (std::uint32_t at = 0; at < old_capacity; ++at) {
      if (old[at] == no_index) continue;
      const std::uint32_t index = old[at] & old_index_mask;
      place(hash_of(index), index);
    }
  }

  /// Memory goes back, if there is memory to do it with: a removal does not fail.
  template <class HashOf>
  void shrink(HashOf hash_of) noexcept {
    try {
      resize(capacity_ / 2, hash_of);
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  std::array<std::uint32_t, smallest> few_{};
  std::unique_ptr<std::uint32_t[]> many_;  // none while few_ suffices
  std::uint32_t* entries_ = few_.data();   // many_ or few_: capacity_ of them; no_index where free
  std::uint32_t capacity_ = smallest;      // a power of two
  std::uint32_t size_ = 0;
  std::uint32_t index_mask_ = narrow;
};

/// Many small tables instead of one large one, chosen by the high bits of the hash: growing one of 256 parts takes
/// 1/256 of the time, and that is the worst that a single insert costs. Same contract as IndexTable.
class PartitionedIndex {
 public:
  /// part_count: a power of two from 1 to 256.
  explicit PartitionedIndex(std::uint32_t part_count) : shift_(32 - std::countr_zero(part_count)), parts_(part_count) {
    LOCKD_CHECK(std::has_single_bit(part_count) && part_count <= 256,
                "the number of parts is a power of two up to 256");
  }

  template <class Matches>
  [[gnu::always_inline]] std::uint32_t find(std::uint32_t hash, Matches matches) const {
    return parts_[part(hash)].find(hash, matches);
  }

  void prefetch(std::uint32_t hash) const noexcept { parts_[part(hash)].prefetch(hash); }
  std::uint32_t first_of_run(std::uint32_t hash) const noexcept { return parts_[part(hash)].first_of_run(hash); }

  template <class HashOf>
  void reserve_one(std::uint32_t hash, HashOf hash_of) {
    parts_[part(hash)].reserve_one(hash_of);
  }

  void insert(std::uint32_t hash, std::uint32_t index) noexcept { parts_[part(hash)].insert(hash, index); }

  template <class HashOf>
  void erase(std::uint32_t hash, std::uint32_t index, HashOf hash_of) noexcept {
    parts_[part(hash)].erase(hash, index, hash_of);
  }

  std::size_t size() const {
    std::size_t sum = 0;
    for (const IndexTable& table : parts_) sum += table.size();
    return sum;
  }

 private:
  std::size_t part(std::uint32_t hash) const { return std::uint64_t{hash} >> shift_; }

  int shift_;
  std::vector<IndexTable> parts_;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_INDEX_TABLE_H_
