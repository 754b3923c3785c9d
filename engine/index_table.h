// How the engine finds a record by its hash: hash tables that hold nothing but 32-bit slab indices, four bytes an
// entry.
#ifndef LOCKD_ENGINE_INDEX_TABLE_H_
#define LOCKD_ENGINE_INDEX_TABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "engine/slab.h"

namespace lockd::engine {

/// Open addressing with linear probing, at most three quarters full, by the low bits of a 32-bit hash. Removal shifts
/// the entries behind it back, so that there are no tombstones and a table's speed does not depend on its history.
///
/// The table does not know the records: callers pass `matches(index) -> bool`, the question whether that record is the
/// one looked for, and `hash_of(index) -> uint32_t`, the hash under which that record was inserted. Only reserve_one()
/// can fail. Copyable; not thread-safe.
class IndexTable {
 public:
  /// The index for which `matches` says yes among those of this hash's run, or no_index.
  template <class Matches>
  std::uint32_t find(std::uint32_t hash, Matches matches) const {
    if (entries_.empty()) return no_index;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      if (entries_[at] == no_index || matches(entries_[at])) return entries_[at];
    }
  }

  /// Asks for the cache line where this hash's run begins.
  void prefetch(std::uint32_t hash) const noexcept {
    if (!entries_.empty()) __builtin_prefetch(&entries_[hash & mask()]);
  }

  /// The index at which find() looks first, or no_index.
  std::uint32_t first_of_run(std::uint32_t hash) const noexcept {
    return entries_.empty() ? no_index : entries_[hash & mask()];
  }

  /// Makes sure that the next insert() has room. Throws std::bad_alloc and changes nothing where memory is out.
  template <class HashOf>
  void reserve_one(HashOf hash_of) {
    if ((size_ + 1) * 4 > entries_.size() * 3) resize(entries_.empty() ? smallest : entries_.size() * 2, hash_of);
  }

  /// Adds an index that is not there yet. Needs a reserve_one() before it; cannot fail then.
  void insert(std::uint32_t hash, std::uint32_t index) noexcept {
    LOCKD_CHECK((size_ + 1) * 4 <= entries_.size() * 3, "reserve_one() comes before insert()");
    place(hash, index);
    ++size_;
  }

  /// Removes an index that is there.
  template <class HashOf>
  void erase(std::uint32_t hash, std::uint32_t index, HashOf hash_of) noexcept {
    std::size_t hole = hash & mask();
    while (entries_[hole] != index) {
      LOCKD_CHECK(entries_[hole] != no_index, "only what is in the table is removed");
      hole = (hole + 1) & mask();
    }
    close_hole(hole, hash_of);
    --size_;
    if (entries_.size() > smallest && size_ * 8 < entries_.size()) shrink(hash_of);
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return entries_.size(); }

 private:
  static constexpr std::size_t smallest = 8;

  std::size_t mask() const { return entries_.size() - 1; }

  void place(std::uint32_t hash, std::uint32_t index) noexcept {
    std::size_t at = hash & mask();
    while (entries_[at] != no_index) at = (at + 1) & mask();
    entries_[at] = index;
  }

  /// Each entry behind the hole moves into it unless that would put it before its own first place.
  template <class HashOf>
  void close_hole(std::size_t hole, HashOf hash_of) noexcept {
    for (std::size_t at = (hole + 1) & mask(); entries_[at] != no_index; at = (at + 1) & mask()) {
      const std::size_t home = hash_of(entries_[at]) & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole] = no_index;
  }

  template <class HashOf>
  void resize(std::size_t capacity, HashOf hash_of) {
    std::vector<std::uint32_t> old(capacity, no_index);
    old.swap(entries_);
    for (const std::uint32_t index : old) {
      if (index != no_index) place(hash_of(index), index);
    }
  }

  /// Memory goes back, if there is memory to do it with: a removal does not fail.
  template <class HashOf>
  void shrink(HashOf hash_of) noexcept {
    try {
      resize(entries_.size() / 2, hash_of);
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  std::vector<std::uint32_t> entries_;  // none, or a power of two of them; no_index where free
  std::size_t size_ = 0;
};

/// Many small tables instead of one large one, chosen by the high bits of the hash: growing one of 256 parts takes
/// 1/256 of the time, and that is the worst that a single insert costs. Same contract as IndexTable.
class PartitionedIndex {
 public:
  /// part_count: a power of two from 1 to 256.
  explicit PartitionedIndex(std::uint32_t part_count) : parts_(part_count) {
    LOCKD_CHECK(std::has_single_bit(part_count) && part_count <= 256,
                "the number of parts is a power of two up to 256");
  }

  template <class Matches>
  std::uint32_t find(std::uint32_t hash, Matches matches) const {
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
  std::size_t part(std::uint32_t hash) const { return (static_cast<std::uint64_t>(hash) * parts_.size()) >> 32; }

  std::vector<IndexTable> parts_;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_INDEX_TABLE_H_
