#include "proptests/memory_at_rest.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

std::atomic<std::int64_t> bytes_in_use = 0;

}  // namespace

// (Not inlined, or the compiler would complain of a free() of what a new gave.)
[[gnu::noinline]] void* operator new(std::size_t byte_count) {
  void* const memory = std::malloc(byte_count == 0 ? 1 : byte_count);
  if (memory == nullptr) throw std::bad_alloc();
  bytes_in_use += static_cast<std::int64_t>(::malloc_usable_size(memory));
  return memory;
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory != nullptr) bytes_in_use -= static_cast<std::int64_t>(::malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void* operator new[](std::size_t byte_count) { return operator new(byte_count); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }

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
  const std::int64_t before = bytes_in_use;
  std::optional<AnyTable> gone(std::move(table));
  gone.reset();
  return before - bytes_in_use;
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
