// Who holds which lock: the engine's sequential machine. The model says what must come out, this is how it comes out
// fast.
#ifndef LOCKD_ENGINE_LOCK_TABLE_H_
#define LOCKD_ENGINE_LOCK_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/index_table.h"
#include "engine/siphash.h"
#include "engine/slab.h"
#include "model/types.h"

namespace lockd::engine {

/// A key with its hash, so that a request hashes its key once, whoever needs it.
struct HashedKey {
  std::string_view bytes;
  std::uint64_t hash = 0;
};

/// What a request did: the answer to its session, and how that changed the number of locks that the session holds (-1,
/// 0 or 1).
struct Result {
  Answer answer;
  int held_change = 0;
};

/// A key's bytes: short ones in place, longer ones on the heap. Plain data: whoever keeps it frees it by hand, once.
class StoredKey {
 public:
  void assign(std::string_view bytes);  // throws std::bad_alloc; nothing was there before
  void free() noexcept;
  std::string_view view() const;

 private:
  static constexpr std::uint32_t inline_bytes_max = 24;

  bool is_inline() const { return byte_count_ <= inline_bytes_max; }
  char* heap() const;

  std::uint32_t byte_count_ = 0;
  std::array<char, inline_bytes_max> bytes_{};  // the key, or the address of its bytes
};

/// The locks of some keys, of both kinds. An exclusive lock is a lock with at most one holder; all else is the same for
/// both.
///
/// A value machine: no thread, clock, socket or global. Every call is O(1) but end_some() and visit(), which work
/// within a budget, and check_invariants(), which looks at everything. A copy is an independent table in the same
/// state.
///
/// Invariants, checked by check_invariants():
///  1. A key record exists exactly as long as somebody holds that key in that kind; it can be found by its hash.
///  2. An exclusive key has one holder.
///  3. A key's holders form one list, in the order in which they took it, no session twice.
///  4. A session record exists exactly as long as that session holds something here; its holds form one list.
///  5. Each hold is in exactly one key's list and one session's list; a shared hold can be found by key and session.
///  6. key_count() and the number of records agree, for each kind.
///
/// Sessions are only numbers here, and live ones: that an ended session's requests are not executed is the caller's
/// duty (ShardedTable). Out of memory: get() may throw std::bad_alloc, having changed nothing; nothing else allocates.
/// Not thread-safe: ShardedTable has a mutex around each.
class LockTable {
 public:
  /// seed: for the hashes within; part_count: see PartitionedIndex.
  LockTable(const HashSeed& seed, std::uint32_t part_count);
  LockTable(const LockTable& other);
  LockTable& operator=(const LockTable&) = delete;
  ~LockTable();

  /// X1, H1, S5. may_take: false where the session holds as many locks as it may; it keeps and gets again what it has.
  Result get(LockKind kind, SessionId session, const HashedKey& key, bool may_take);

  /// X2, H2.
  Result release(LockKind kind, SessionId session, const HashedKey& key) noexcept;

  /// X3, H3.
  Answer inspect(LockKind kind, const HashedKey& key) const noexcept;

  /// S2: releases up to `budget` locks of a session that ended, in no stated order, each counted as an orphan. Returns
  /// how many; fewer than `budget` means that none is left.
  std::size_t end_some(SessionId session, std::size_t budget) noexcept;

  /// L1: calls see(SessionId) for each holder of the key, in the order of taking.
  template <class See>
  void visit_holders(LockKind kind, const HashedKey& key, See see) const {
    const std::uint32_t found = find_key(kind, key);
    if (found != no_index) visit_holders_of(keys_[found], see);
  }

  /// L1, L2, L5: walks the keys of one kind from the place `from` on (0 is the start), looking at about `budget`
  /// records: a key of the kind counts as many as it has holders, and is never cut. Calls see(key_bytes, holder_count,
  /// for_each_holder) for each, where for_each_holder(f) calls f(SessionId) in the order of taking. Returns the place
  /// to go on from, or no_index at the end. A key that lasts from the walk's start to its end is seen exactly once,
  /// whatever changes between the calls.
  template <class See>
  std::uint32_t visit(LockKind kind, std::uint32_t from, std::size_t budget, See see) const {
    std::uint32_t at = keys_.next_live(from);
    while (at != no_index && budget > 0) {
      const KeyRecord& key = keys_[at];
      if (key.kind == kind) see(key.text.view(), key.holder_count, [&](auto f) { visit_holders_of(key, f); });
      budget -= std::min<std::size_t>(budget, key.kind == kind ? key.holder_count : 1);
      at = keys_.next_live(at + 1);
    }
    return at;
  }

  /// Keys held in this kind now (L3: `locks`, `shared_locks`).
  std::uint64_t key_count(LockKind kind) const { return key_counts_[slot(kind)]; }

  /// Locks released by end_some() since the start (L3: `orphans`, `shared_orphans`).
  std::uint64_t orphan_count(LockKind kind) const { return orphan_counts_[slot(kind)]; }

  /// Nothing, or which invariant is broken and where. For tests: it looks at every record.
  std::optional<std::string> check_invariants() const;

 private:
  /// A key that somebody holds.
  struct KeyRecord {
    std::uint32_t hash = 0;
    std::uint32_t first_holder = no_index;  // by the order of taking
    std::uint32_t last_holder = no_index;
    std::uint32_t holder_count = 0;
    StoredKey text;
    LockKind kind = LockKind::exclusive;
  };

  /// That one session holds one key.
  struct HoldRecord {
    std::uint32_t key = no_index;
    std::uint32_t session = no_index;
    std::uint32_t key_previous = no_index;  // the key's holders
    std::uint32_t key_next = no_index;
    std::uint32_t session_previous = no_index;  // the session's holds
    std::uint32_t session_next = no_index;
  };

  /// A session that holds something here.
  struct SessionRecord {
    SessionId id = SessionId::nobody;
    std::uint32_t first_hold = no_index;
  };

  static std::size_t slot(LockKind kind) { return static_cast<std::size_t>(kind); }

  std::uint32_t hash_of_session(SessionId session) const;
  std::uint32_t hash_of_hold(std::uint32_t key_hash, SessionId session) const;
  std::uint32_t hash_of_hold(std::uint32_t hold) const;

  std::uint32_t find_key(LockKind kind, const HashedKey& key) const;
  std::uint32_t find_session(SessionId session) const;
  std::uint32_t find_hold(std::uint32_t key, SessionId session) const;

  void reserve_for_get(SessionId session, std::uint32_t key_hash);
  std::uint32_t add_key(LockKind kind, const HashedKey& key);
  std::uint32_t find_or_add_session(SessionId session) noexcept;
  void add_hold(std::uint32_t key, std::uint32_t session) noexcept;
  void remove_hold(std::uint32_t hold) noexcept;
  void remove_key(std::uint32_t key) noexcept;
  void remove_session(std::uint32_t session) noexcept;

  std::optional<std::string> check_keys() const;
  std::optional<std::string> check_key(std::uint32_t at) const;
  std::optional<std::string> check_sessions() const;
  std::optional<std::string> check_counts() const;

  template <class See>
  void visit_holders_of(const KeyRecord& key, See see) const {
    for (std::uint32_t at = key.first_holder; at != no_index; at = holds_[at].key_next)
      see(sessions_[holds_[at].session].id);
  }

  HashSeed seed_;

  Slab<KeyRecord> keys_;
  Slab<HoldRecord> holds_;
  Slab<SessionRecord> sessions_;

  PartitionedIndex key_index_;  // keys_ by kind and bytes
  PartitionedIndex
      hold_index_;  // the shared ones of holds_, by key and session; an exclusive key's only holder needs none
  IndexTable session_index_;  // sessions_ by id

  std::array<std::uint64_t, 2> key_counts_{};
  std::array<std::uint64_t, 2> orphan_counts_{};
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_LOCK_TABLE_H_
