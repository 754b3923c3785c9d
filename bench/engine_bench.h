// What the microbenchmarks of the engine share. Keys have 21 bytes; a full table holds 1,000,000 locks of 15,000
// sessions, half exclusive, half shared with ten holders to a key. One thread, no socket, no parser.
#ifndef LOCKD_BENCH_ENGINE_BENCH_H_
#define LOCKD_BENCH_ENGINE_BENCH_H_

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "model/types.h"

namespace lockd::bench {

using engine::NullMutex;
using engine::SessionLocks;
using engine::ShardedTable;

inline constexpr std::size_t lock_count = 1'000'000;
inline constexpr std::size_t session_count = 15'000;
inline constexpr std::size_t holders_per_key = 10;
inline constexpr std::size_t end_budget = 256;  // locks that one call of end_some() may release

/// A table without locks, whose hash seed is always the same.
template <class Mutex>
ShardedTable<Mutex> empty_table(std::uint32_t shard_count) {
  return ShardedTable<Mutex>({.seed = {.low = 1, .high = 2}, .shard_count = shard_count});
}

/// 21 bytes.
inline std::string bench_key(std::size_t number) { return fmt::format("bench-{:015}", number); }

/// Keys number `first`, `first + stride` and so on: so many that the caches have to work.
inline std::vector<std::string> keys_from(std::size_t first, std::size_t stride) {
  std::vector<std::string> keys(65'536);
  std::ranges::generate(keys, [&, next = first]() mutable { return bench_key(std::exchange(next, next + stride)); });
  return keys;
}

/// Sessions 1 to `count`.
inline std::vector<SessionLocks> sessions_of(std::size_t count) {
  std::vector<SessionLocks> sessions;
  for (std::size_t id = 1; id <= count; ++id) sessions.emplace_back(SessionId{id});
  return sessions;
}

/// `g` or `sg`.
inline engine::Get get_of(LockKind kind, std::string_view key) {
  if (kind == LockKind::exclusive) return {.key = key};
  return {.kind = kind, .key = key, .limit = engine::no_limit, .heeds_line = false};
}

/// Takes lock number `number` of a full table.
template <class Mutex>
std::optional<Answer> take(ShardedTable<Mutex>& table, std::vector<SessionLocks>& sessions, std::size_t number) {
  const bool shared = number % 2 == 1;
  const std::size_t of_kind = number / 2;
  const std::string key = bench_key(shared ? of_kind / holders_per_key : of_kind);
  return table.get(sessions[of_kind % sessions.size()], get_of(shared ? LockKind::shared : LockKind::exclusive, key),
                   0);
}

/// Takes all `lock_count` of them, by the sessions in turn.
template <class Mutex>
void fill(ShardedTable<Mutex>& table, std::vector<SessionLocks>& sessions) {
  for (std::size_t number = 0; number < lock_count; ++number) take(table, sessions, number);
}

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_ENGINE_BENCH_H_
