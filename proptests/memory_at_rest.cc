#include "proptests/memory_at_rest.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/test_heap.h"

namespace lockd::proptests {
namespace {

// Others than any that a test would take.
constexpr std::uint64_t first_session = std::uint64_t{1} << 60;

// Locks of both kinds, for each a session that holds it and one that waits; then all of them end.
void use_a_little(Table& table, std::uint32_t shard_count) {
  const std::uint64_t lock_count = 4 * shard_count;
  std::vector<engine::SessionLocks> sessions;
  engine::Wakeups wakeups;
  sessions.reserve(3 * lock_count);
  for (std::uint64_t i = 0; i < 3 * lock_count; ++i) sessions.emplace_back(SessionId{first_session + i}, 0);
  for (std::uint64_t i = 0; i < lock_count; ++i) {
    const std::string key = std::to_string(i);
    table.get(sessions[i], {.kind = LockKind::exclusive, .key = key}, 0);
    table.get(sessions[i], {.kind = LockKind::shared, .key = key}, 0);
    table.get(sessions[lock_count + i], {.kind = LockKind::exclusive, .key = key, .waits = true}, 0);
    table.get(sessions[2 * lock_count + i], {.kind = LockKind::shared, .key = key, .waits = true}, 0);
  }
  for (auto& session : sessions) table.end_some(session, all_locks, 0, wakeups);
}

std::int64_t heap_bytes_of(AnyTable table) {
  const std::int64_t before = heap_bytes_in_use;
  std::optional<AnyTable> gone(std::move(table));
  gone.reset();
  return before - heap_bytes_in_use;
}

std::int64_t kept_after_a_little_use(AnyTable table, std::uint32_t shard_count) {
  use_a_little(*table, shard_count);
  return heap_bytes_of(std::move(table));
}

}  // namespace

std::int64_t kept_beyond_a_new_one(AnyTable table, std::uint32_t shard_count) {
  const std::int64_t kept = kept_after_a_little_use(std::move(table), shard_count);
  AnyTable fresh = make_table<EngineTable>({.seed = lockstep_seed, .shard_count = shard_count});
  return kept - kept_after_a_little_use(std::move(fresh), shard_count);
}

}  // namespace lockd::proptests
