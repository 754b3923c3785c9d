// Microbenchmarks of the engine alone: no socket, no parser, one thread. Keys have 21 bytes; a full table holds
// 1,000,000 locks of 15,000 sessions, half exclusive, half shared with ten holders to a key. Beside it a bare flat map,
// which does the same inserts and erases and knows nothing else.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/script.h"
#include "engine/sharded_table.h"
#include "model/types.h"

namespace lockd::bench {
namespace {

using engine::NullMutex;
using engine::SessionLocks;
using engine::ShardedTable;

constexpr std::size_t lock_count = 1'000'000;
constexpr std::size_t session_count = 15'000;
constexpr std::size_t holders_per_key = 10;
constexpr std::size_t end_budget = 256;  // locks that one call of end_some() may release

template <class Mutex>
ShardedTable<Mutex> empty_table(std::uint32_t shard_count) {
  return ShardedTable<Mutex>({.seed = {.low = 1, .high = 2}, .shard_count = shard_count});
}

std::string bench_key(std::size_t number) { return fmt::format("bench-{:015}", number); }

// Keys number `first`, `first + stride` and so on: so many that the caches have to work.
std::vector<std::string> keys_from(std::size_t first, std::size_t stride) {
  std::vector<std::string> keys(65'536);
  std::ranges::generate(keys, [&, next = first]() mutable { return bench_key(std::exchange(next, next + stride)); });
  return keys;
}

std::vector<SessionLocks> sessions_of(std::size_t count) {
  std::vector<SessionLocks> sessions;
  for (std::size_t id = 1; id <= count; ++id) sessions.emplace_back(SessionId{id});
  return sessions;
}

// `g` or `sg`.
engine::Get get_of(LockKind kind, std::string_view key) {
  if (kind == LockKind::exclusive) return {.key = key};
  return {.kind = kind, .key = key, .limit = engine::no_limit, .heeds_line = false};
}

// Takes lock number `number` of a full table.
template <class Mutex>
std::optional<Answer> take(ShardedTable<Mutex>& table, std::vector<SessionLocks>& sessions, std::size_t number) {
  const bool shared = number % 2 == 1;
  const std::size_t of_kind = number / 2;
  const std::string key = bench_key(shared ? of_kind / holders_per_key : of_kind);
  return table.get(sessions[of_kind % sessions.size()], get_of(shared ? LockKind::shared : LockKind::exclusive, key),
                   0);
}

template <class Mutex>
void fill(ShardedTable<Mutex>& table, std::vector<SessionLocks>& sessions) {
  for (std::size_t number = 0; number < lock_count; ++number) take(table, sessions, number);
}

// Bytes that the allocator has given out.
std::size_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Processor time of this thread: what the machine gives to others meanwhile is not counted.
double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// The slowest call of each round, and the median of those over the rounds: what belongs to the table comes in each
// round, what disturbs the machine does not.
class SlowestCall {
 public:
  void begin_round() { rounds_us_.push_back(0); }

  template <class Call>
  auto time(Call call) {
    const double start = cpu_microseconds();
    const auto result = call();
    rounds_us_.back() = std::max(rounds_us_.back(), cpu_microseconds() - start);
    return result;
  }

  double median_us() {
    const auto middle = rounds_us_.begin() + static_cast<std::ptrdiff_t>(rounds_us_.size() / 2);
    std::ranges::nth_element(rounds_us_, middle);
    return *middle;
  }

 private:
  std::vector<double> rounds_us_;
};

// A session takes and releases a free key; sessions and keys pass by in turn.
template <class Mutex>
void get_and_release(benchmark::State& state, LockKind kind) {
  auto table = empty_table<Mutex>(static_cast<std::uint32_t>(state.range(0)));
  std::vector<SessionLocks> sessions = sessions_of(session_count);
  if (state.range(1) != 0) fill(table, sessions);
  const std::vector<std::string> keys = keys_from(2 * lock_count, 1);
  engine::Wakeups wakeups;
  std::size_t next = 0;
  while (state.KeepRunning()) {
    SessionLocks& session = sessions[next % sessions.size()];
    const std::string& key = keys[next++ % keys.size()];
    benchmark::DoNotOptimize(table.get(session, get_of(kind, key), 0));
    benchmark::DoNotOptimize(table.release(session, kind, key, 0, wakeups));
  }
}

void get_and_release_exclusive(benchmark::State& state) { get_and_release<NullMutex>(state, LockKind::exclusive); }
void get_and_release_shared(benchmark::State& state) { get_and_release<NullMutex>(state, LockKind::shared); }
void get_and_release_mutex(benchmark::State& state) { get_and_release<std::mutex>(state, LockKind::exclusive); }

// The same keys into a flat map and out again; full, it has as many keys as a full table.
void plain_map_insert_and_erase(benchmark::State& state) {
  boost::unordered_flat_map<std::string, SessionId> map;
  const std::size_t held = state.range(0) != 0 ? lock_count / 2 + lock_count / 2 / holders_per_key : 0;
  for (std::size_t number = 0; number < held; ++number) map.emplace(bench_key(number), SessionId{1});
  const std::vector<std::string> keys = keys_from(2 * lock_count, 1);
  std::size_t next = 0;
  while (state.KeepRunning()) {
    const std::string& key = keys[next++ % keys.size()];
    benchmark::DoNotOptimize(map.emplace(key, SessionId{next}));
    benchmark::DoNotOptimize(map.erase(key));
  }
}

// h = 33 h + byte, without a seed.
struct PlainHash {
  std::size_t operator()(const std::string& key) const {
    std::size_t hash = 5381;
    for (const char byte : key) hash = 33 * hash + static_cast<unsigned char>(byte);
    return hash;
  }
};

// What the hostile keys of the load generator (range(0) is 1) do to such a map, half of 1,024 being held.
void plain_map_hostile(benchmark::State& state) {
  boost::unordered_flat_map<std::string, SessionId, PlainHash> map;
  constexpr std::size_t crowd = 1'024;
  std::vector<std::string> keys;
  for (std::size_t n = 0; n < crowd; ++n) keys.push_back(bench::key_of(state.range(0) != 0, n / 16, n % 16));
  for (std::size_t n = 0; n < crowd / 2; ++n) map.emplace(keys[n], SessionId{1});
  std::size_t next = 0;
  while (state.KeepRunning()) {
    const std::string& key = keys[crowd / 2 + next++ % (crowd / 2)];
    benchmark::DoNotOptimize(map.emplace(key, SessionId{next}));
    benchmark::DoNotOptimize(map.erase(key));
  }
}

// Asks for keys that others hold.
void inspect_held(benchmark::State& state) {
  auto table = empty_table<NullMutex>(1);
  std::vector<SessionLocks> sessions = sessions_of(session_count);
  fill(table, sessions);
  const std::vector<std::string> keys = keys_from(0, 7);
  std::size_t next = 0;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(table.inspect(sessions.front(), LockKind::exclusive, keys[next++ % keys.size()]));
  }
}

// From the first lock to the last, each timed: what growth costs the one request that meets it, and the memory at the
// end.
void grow_to_a_million(benchmark::State& state) {
  SlowestCall slowest;
  double bytes = 0;
  while (state.KeepRunning()) {
    std::vector<SessionLocks> sessions = sessions_of(session_count);
    const std::size_t bytes_before = allocated_bytes();
    auto table = empty_table<NullMutex>(1);
    slowest.begin_round();
    for (std::size_t number = 0; number < lock_count; ++number) {
      slowest.time([&] { return take(table, sessions, number); });
    }
    bytes = static_cast<double>(allocated_bytes() - bytes_before);
  }
  state.counters["slowest_get_us"] = slowest.median_us();
  state.counters["bytes_per_lock"] = bytes / static_cast<double>(lock_count);
}

// One session that holds range(0) locks ends while the table is full: time a lock, and the slowest slice.
void end_of_session(benchmark::State& state) {
  const auto held = static_cast<std::size_t>(state.range(0));
  auto table = empty_table<NullMutex>(1);
  std::vector<SessionLocks> sessions = sessions_of(session_count);
  fill(table, sessions);
  std::uint64_t next_id = session_count;
  engine::Wakeups wakeups;
  SlowestCall slowest;
  while (state.KeepRunning()) {
    state.PauseTiming();
    slowest.begin_round();
    SessionLocks session(SessionId{++next_id});
    for (std::size_t number = 0; number < held; ++number)
      table.get(session, get_of(LockKind::exclusive, bench_key(2 * lock_count + number)), 0);
    state.ResumeTiming();
    while (!slowest.time([&] { return table.end_some(session, end_budget, 0, wakeups); })) {
    }
  }
  state.counters["per_lock"] = benchmark::Counter(
      static_cast<double>(held), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["slowest_slice_us"] = slowest.median_us();
}

// One key with so many waiters: its holder releases it, the first in line has it and goes to the line's end.
void release_and_grant(benchmark::State& state) {
  const auto waiting = static_cast<std::size_t>(state.range(0));
  auto table = empty_table<NullMutex>(1);
  std::vector<SessionLocks> sessions = sessions_of(waiting + 1);
  const engine::Get get{.key = "k", .waits = true};
  for (SessionLocks& session : sessions) table.get(session, get, 0);
  engine::Wakeups wakeups;
  std::size_t holder = 0;
  while (state.KeepRunning()) {
    wakeups.clear();
    table.release(sessions[holder], LockKind::exclusive, "k", 0, wakeups);
    const std::size_t next = (holder + 1) % sessions.size();
    table.accept_grant(sessions[next]);
    benchmark::DoNotOptimize(table.get(sessions[holder], get, 0));
    holder = next;
  }
}

// All who wait for one key leave, the last who came first.
void line_that_leaves(benchmark::State& state) {
  const auto waiting = static_cast<std::size_t>(state.range(0));
  engine::Wakeups wakeups;
  while (state.KeepRunning()) {
    state.PauseTiming();
    auto table = empty_table<NullMutex>(1);
    std::vector<SessionLocks> sessions = sessions_of(waiting + 1);
    for (SessionLocks& session : sessions) table.get(session, {.key = "k", .waits = true}, 0);
    state.ResumeTiming();
    for (std::size_t i = waiting; i > 0; --i) table.end_some(sessions[i], end_budget, 0, wakeups);
  }
  state.counters["per_waiter"] = benchmark::Counter(
      static_cast<double>(waiting), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// All sessions of a full table end: what is still allocated of what the locks took.
void memory_given_back(benchmark::State& state) {
  double left = 0;
  while (state.KeepRunning()) {
    std::vector<SessionLocks> sessions = sessions_of(session_count);
    auto table = empty_table<NullMutex>(1);
    const std::size_t bytes_before = allocated_bytes();
    fill(table, sessions);
    const std::size_t bytes_full = allocated_bytes();
    engine::Wakeups wakeups;
    for (SessionLocks& session : sessions) table.end_some(session, lock_count, 0, wakeups);
    left = static_cast<double>(allocated_bytes() - bytes_before) / static_cast<double>(bytes_full - bytes_before);
  }
  state.counters["percent_kept"] = 100 * left;
}

// {shards, whether the table is full}
BENCHMARK(get_and_release_exclusive)->Args({1, 0})->Args({1, 1});
BENCHMARK(get_and_release_shared)->Args({1, 0})->Args({1, 1});
BENCHMARK(get_and_release_mutex)->Args({64, 0})->Args({64, 1});
BENCHMARK(plain_map_insert_and_erase)->Arg(0)->Arg(1);
BENCHMARK(plain_map_hostile)->Arg(0)->Arg(1);
BENCHMARK(inspect_held);
BENCHMARK(grow_to_a_million)->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(end_of_session)->Arg(66)->Unit(benchmark::kMicrosecond)->Iterations(10'000);
BENCHMARK(end_of_session)->Arg(10'000)->Unit(benchmark::kMicrosecond)->Iterations(100);
BENCHMARK(release_and_grant)->ArgName("waiters")->Arg(15)->Arg(15'000);
BENCHMARK(line_that_leaves)->ArgName("waiters")->Arg(15)->Arg(15'000);
BENCHMARK(memory_given_back)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace lockd::bench

BENCHMARK_MAIN();
