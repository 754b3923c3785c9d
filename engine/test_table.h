// For the engine's tests: the gets by their verbs, and tables with what their caller keeps beside them.
#ifndef LOCKD_ENGINE_TEST_TABLE_H_
#define LOCKD_ENGINE_TEST_TABLE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/lock_table.h"
#include "engine/requests.h"
#include "engine/sharded_table.h"
#include "engine/siphash.h"
#include "engine/token_source.h"
#include "model/types.h"

namespace lockd::engine {

inline constexpr auto exclusive = LockKind::exclusive;
inline constexpr auto shared = LockKind::shared;
inline constexpr std::size_t infinite = std::numeric_limits<std::size_t>::max();
inline constexpr HashSeed test_seed{1, 2};

inline HashedKey hashed(std::string_view key) { return hash_key(test_seed, key); }
inline HashedSession hashed(SessionId session) { return {session, hash_session(test_seed, session)}; }

inline Get g(std::string_view key) { return {.kind = exclusive, .key = key}; }
inline Get gw(std::string_view key) { return {.kind = exclusive, .key = key, .waits = true}; }
inline Get sg(std::string_view key) { return {.kind = shared, .key = key, .limit = no_limit, .heeds_line = false}; }
inline Get sgl(std::uint32_t limit, std::string_view key) { return {.kind = shared, .key = key, .limit = limit}; }
inline Get sgw(std::uint32_t limit, std::string_view key) {
  return {.kind = shared, .key = key, .limit = limit, .waits = true};
}

/// `g` or `sg`.
inline Get get_of(LockKind kind, std::string_view key) { return kind == exclusive ? g(key) : sg(key); }

/// A Result whose answer is a member.
struct Told {
  // NOLINTNEXTLINE(google-explicit-constructor)
  Told(const Result& result) : answer(result.answer()), held_change(result.held_change), claim(result.claim) {}

  std::optional<Answer> answer;
  int held_change;
  std::uint32_t claim;
};

/// What does not take part in the waiting is inherited. Copied, it goes on alone.
struct TestTable : LockTable {
  struct Config {
    std::uint32_t part_count = 4;
    std::uint64_t waiters_max = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t first_token = 1;
    std::uint64_t tokens_end = token_limit;
  };

  TestTable() : TestTable(Config{}) {}
  explicit TestTable(const Config& config)
      : LockTable(test_seed, config.part_count, config.waiters_max), source(config.first_token, config.tokens_end) {}

  Told get(SessionId session, const Get& get, bool may_take = true) {
    const Asker asker{
        .session = hashed(session), .home = home_of(session), .may_take = may_take, .closes_no_circle = true};
    const Result result = LockTable::get(get, hashed_key(get.key), asker, source, now);
    held += static_cast<std::uint64_t>(result.held_change);
    return result;
  }

  Told release(SessionId session, LockKind kind, std::string_view key) {
    const std::size_t woken_before = woken.size();
    const Result result = LockTable::release(kind, hashed(session), hashed_key(key), now, woken);
    held += static_cast<std::uint64_t>(static_cast<std::int64_t>(result.held_change)) + woken.size() - woken_before;
    return result;
  }

  std::size_t release_some(SessionId session, std::size_t budget, Release why) {
    const std::size_t woken_before = woken.size();
    const std::size_t released = LockTable::release_some(hashed(session), budget, why, now, held, woken);
    held += woken.size() - woken_before;
    return released;
  }

  /// S2 of a session that does not wait.
  std::size_t end_some(SessionId session, std::size_t budget) {
    return release_some(session, budget, Release::orphaned);
  }

  bool leave_line(SessionId session, std::uint32_t claim) {
    const std::size_t woken_before = woken.size();
    const bool left = LockTable::leave_line(hashed(session), claim, now, woken);
    held += woken.size() - woken_before;
    return left;
  }

  static std::uint32_t home_of(SessionId session) { return static_cast<std::uint32_t>(session) % 7; }
  HashedKey hashed_key(std::string_view key) const {
    HashedKey found = hashed(key);
    if (all_hashes_equal) found.hash = 5;
    return found;
  }
  Answer token(LockKind kind, SessionId session, const HashedKey& key) const {
    return LockTable::token(kind, hashed(session), key);
  }

  TokenSource source;
  Wakeups woken;
  Moment now = 0;
  std::uint64_t held = 0;  // by all sessions, as the table reported
  bool all_hashes_equal = false;
};

/// The same of a ShardedTable that one thread uses.
struct TestShards : ShardedTable<NullMutex> {
  using Base = ShardedTable<NullMutex>;

  explicit TestShards(std::uint32_t shard_count) : Base({.seed = test_seed, .shard_count = shard_count}) {}
  explicit TestShards(const Config& config) : Base(config) {}

  std::optional<Answer> get(SessionLocks& session, const Get& get) { return Base::get(session, get, now); }
  std::optional<Answer> release(SessionLocks& session, LockKind kind, std::string_view key) {
    return Base::release(session, kind, key, now, woken);
  }
  std::size_t release_some(SessionLocks& session, std::size_t budget) {
    return Base::release_some(session, budget, now, woken);
  }
  std::optional<Answer> leave_line(SessionLocks& session, Leave why) {
    return Base::leave_line(session, why, now, woken);
  }
  bool end_some(SessionLocks& session, std::size_t budget) { return Base::end_some(session, budget, now, woken); }

  /// The wake-ups since the last call.
  Wakeups take_woken() { return std::exchange(woken, {}); }

  Wakeups woken;
  Moment now = 0;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_TEST_TABLE_H_
