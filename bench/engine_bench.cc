// Microbenchmarks of the engine alone: a request for one key, in an empty table and in a full one.
#include "bench/engine_bench.h"

#include <benchmark/benchmark.h>

#include <mutex>

#include "engine/hashed_key.h"

namespace lockd::bench {
namespace {

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

// The hash of a key, by which all requests begin.
void siphash_of_key(benchmark::State& state) {
  const std::vector<std::string> keys = keys_from(2 * lock_count, 1);
  const engine::HashSeed seed{.low = 1, .high = 2};
  std::size_t next = 0;
  while (state.KeepRunning()) {
    const std::string_view key = keys[next++ % keys.size()];
    benchmark::DoNotOptimize(engine::hash_key(seed, key).hash);
  }
}

// {shards, whether the table is full}
BENCHMARK(get_and_release_exclusive)->Args({1, 0})->Args({1, 1});
BENCHMARK(get_and_release_shared)->Args({1, 0})->Args({1, 1});
BENCHMARK(get_and_release_mutex)->Args({64, 0})->Args({64, 1});
BENCHMARK(inspect_held);
BENCHMARK(siphash_of_key);

}  // namespace
}  // namespace lockd::bench

BENCHMARK_MAIN();
