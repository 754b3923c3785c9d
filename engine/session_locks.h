// What a session itself knows of its locks and its wait.
#ifndef LOCKD_ENGINE_SESSION_LOCKS_H_
#define LOCKD_ENGINE_SESSION_LOCKS_H_

#include <cstdint>
#include <optional>

#include "engine/wait_map.h"
#include "model/types.h"

namespace lockd::engine {

/// A session's own side of the table. Kept by the session, on its thread; only ShardedTable changes it.
struct SessionLocks {
  /// Where a session waits, or waited until it was granted what it does not know of yet.
  struct Wait {
    LockKind kind;
    WaitPlace place;
  };

  explicit SessionLocks(SessionId session, std::uint32_t home_number = 0) : id(session), home(home_number) {}

  SessionId id;
  std::uint32_t home;                      // which thread it lives on, for whoever wakes it
  std::uint32_t hash = 0;                  // of its id under the table's seed; 0 until it is known
  std::uint32_t record_hint = UINT32_MAX;  // where its record was in the table that it took a lock in last: a guess
  std::uint64_t held = 0;                  // locks of both kinds (S5), but for a grant that it does not know of yet
  std::uint64_t shards_touched = 0;        // a bit for each shard in which it may have a record (LockTable, 4)
  std::uint64_t edges_walked = 0;  // by its requests so far, to look for circles (W6): what else they cost is constant
  std::optional<Wait> wait = std::nullopt;
  bool ended = false;  // from the first end_some() on

  /// In a line, or granted and the Wakeup not accepted yet.
  bool waits() const { return wait.has_value(); }

  void touch(std::uint32_t shard) { shards_touched |= std::uint64_t{1} << shard; }
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_SESSION_LOCKS_H_
