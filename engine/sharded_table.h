// The table that the server uses: LockTables behind mutexes, so that threads that work on different keys do not meet.
#ifndef LOCKD_ENGINE_SHARDED_TABLE_H_
#define LOCKD_ENGINE_SHARDED_TABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/check.h"
#include "engine/lock_table.h"
#include "engine/siphash.h"
#include "model/types.h"

namespace lockd::engine {

/// The mutex of a table that only one thread uses. Nothing to lock, and copyable.
struct NullMutex {
  void lock() {}
  void unlock() {}
};

/// A session's own side of the table. Kept by the session, on its thread; only ShardedTable changes it.
struct SessionLocks {
  explicit SessionLocks(SessionId session) : id(session) {}

  SessionId id;
  std::uint64_t held = 0;            // locks of both kinds (S5)
  std::uint64_t shards_touched = 0;  // a bit for each shard in which it may hold something
  bool ended = false;                // from the first end_some() on
};

/// Where a walk over all shards stands (L5). Starts at the beginning.
struct TableCursor {
  std::uint32_t shard = 0;
  std::uint32_t place = 0;
};

/// Up to 64 LockTables, a key's by the high bits of its hash. Mutex is std::mutex, or NullMutex for one thread and for
/// tests, which makes the whole thing copyable.
///
/// Threading: every call may come from any thread, a SessionLocks from one at a time. A call that names a key holds
/// that one shard's mutex while it works, and there it takes effect; calls that name none go from shard to shard, one
/// mutex at a time. An ended session has no more requests: they get no answer and change nothing (S2).
template <class Mutex>
class ShardedTable {
 public:
  struct Config {
    HashSeed seed;
    std::uint32_t shard_count = 1;                                        // a power of two, 1 to 64
    std::uint64_t locks_max = std::numeric_limits<std::uint64_t>::max();  // S5: for each session
  };

  explicit ShardedTable(const Config& config) : config_(config) {
    LOCKD_CHECK(std::has_single_bit(config.shard_count) && config.shard_count <= 64, "1, 2, 4 ... 64 shards");
    for (std::uint32_t i = 0; i < config.shard_count; ++i)
      shards_.emplace_back(config.seed, index_parts / config.shard_count);
  }

  /// X1, H1, S5. std::bad_alloc where memory is out; nothing has changed then.
  std::optional<Answer> get(SessionLocks& session, LockKind kind, std::string_view key_bytes) {
    if (session.ended) return std::nullopt;
    const HashedKey key = hashed(key_bytes);
    session.shards_touched |= std::uint64_t{1} << shard_of(key);
    Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    return apply(session, shard.table.get(kind, session.id, key, session.held < config_.locks_max));
  }

  /// X2, H2.
  std::optional<Answer> release(SessionLocks& session, LockKind kind, std::string_view key_bytes) {
    if (session.ended) return std::nullopt;
    const HashedKey key = hashed(key_bytes);
    Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    return apply(session, shard.table.release(kind, session.id, key));
  }

  /// X3, H3.
  std::optional<Answer> inspect(const SessionLocks& session, LockKind kind, std::string_view key_bytes) const {
    if (session.ended) return std::nullopt;
    const HashedKey key = hashed(key_bytes);
    const Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    return shard.table.inspect(kind, key);
  }

  /// S2: ends the session, if it has not ended yet, and releases up to `budget` (1 or more) of its locks as orphans.
  /// True when none is left; otherwise to be called again, others' requests coming between. Ending twice changes
  /// nothing.
  bool end_some(SessionLocks& session, std::size_t budget) {
    LOCKD_CHECK(budget > 0, "the end of a session makes progress");
    session.ended = true;
    while (session.shards_touched != 0 && budget > 0) {
      Shard& shard = shards_[static_cast<std::size_t>(std::countr_zero(session.shards_touched))];
      const std::lock_guard lock(shard.mutex);
      const std::size_t released = shard.table.end_some(session.id, budget);
      LOCKD_CHECK(released <= session.held, "a session counts what it holds");
      session.held -= released;
      if (released < budget) session.shards_touched &= session.shards_touched - 1;
      budget -= released;
    }
    if (session.shards_touched != 0) return false;
    LOCKD_CHECK(session.held == 0, "an ended session holds nothing");
    return true;
  }

  /// L1: see(SessionId) for each holder of one key, in the order of taking, at one moment, under the shard's mutex.
  template <class See>
  void visit_holders(LockKind kind, std::string_view key_bytes, See see) const {
    const HashedKey key = hashed(key_bytes);
    const Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    shard.table.visit_holders(kind, key, see);
  }

  /// L5: one slice of a walk over all keys of a kind, as LockTable::visit says, each slice within one shard and under
  /// its mutex. False when the walk is over.
  template <class See>
  bool visit(LockKind kind, TableCursor& cursor, std::size_t budget, See see) const {
    if (cursor.shard >= shards_.size()) return false;
    const Shard& shard = shards_[cursor.shard];
    const std::lock_guard lock(shard.mutex);
    cursor.place = shard.table.visit(kind, cursor.place, budget, see);
    if (cursor.place == no_index) cursor = {cursor.shard + 1, 0};
    return cursor.shard < shards_.size();
  }

  /// L3. Sums over the shards, each at its own moment.
  std::uint64_t key_count(LockKind kind) const {
    return sum([kind](const LockTable& table) { return table.key_count(kind); });
  }
  std::uint64_t orphan_count(LockKind kind) const {
    return sum([kind](const LockTable& table) { return table.orphan_count(kind); });
  }

  /// For tests: nothing, or the first broken invariant of LockTable, or that a key lies in a shard that is not its own.
  std::optional<std::string> check_invariants() const {
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      const std::lock_guard lock(shards_[i].mutex);
      if (auto broken = shards_[i].table.check_invariants()) return "shard " + std::to_string(i) + ": " + *broken;
      bool astray = false;
      const auto see = [&](std::string_view key, auto&&...) { astray = astray || shard_of(hashed(key)) != i; };
      shards_[i].table.visit(LockKind::exclusive, 0, std::numeric_limits<std::size_t>::max(), see);
      shards_[i].table.visit(LockKind::shared, 0, std::numeric_limits<std::size_t>::max(), see);
      if (astray) return "shard " + std::to_string(i) + ": a key that belongs elsewhere";
    }
    return std::nullopt;
  }

 private:
  /// Index tables of all shards together; see PartitionedIndex for why they are many.
  static constexpr std::uint32_t index_parts = 256;

  /// On cache lines of its own, so that a thread at one shard does not slow down its neighbour's.
  struct alignas(64) Shard {
    Shard(const HashSeed& seed, std::uint32_t part_count) : table(seed, part_count) {}

    mutable Mutex mutex;
    LockTable table;  // guarded by mutex
  };

  HashedKey hashed(std::string_view key) const { return {key, SipHash13::hash(config_.seed, key)}; }

  /// By the high half of the hash; LockTable uses the low one.
  std::size_t shard_of(const HashedKey& key) const { return (key.hash >> 32) * shards_.size() >> 32; }

  static Answer apply(SessionLocks& session, const Result& result) {
    LOCKD_CHECK(result.held_change >= 0 || session.held > 0, "a session counts what it holds");
    session.held += static_cast<std::uint64_t>(static_cast<std::int64_t>(result.held_change));
    return result.answer;
  }

  template <class Of>
  std::uint64_t sum(Of of) const {
    std::uint64_t total = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      total += of(shard.table);
    }
    return total;
  }

  Config config_;
  std::deque<Shard> shards_;  // a deque: a Shard does not move
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_SHARDED_TABLE_H_
