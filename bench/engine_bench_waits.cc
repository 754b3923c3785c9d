// Microbenchmarks of the engine alone: lines of sessions that wait for one key.
#include <benchmark/benchmark.h>

#include "bench/engine_bench.h"

namespace lockd::bench {
namespace {

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

BENCHMARK(release_and_grant)->ArgName("waiters")->Arg(15)->Arg(15'000);
BENCHMARK(line_that_leaves)->ArgName("waiters")->Arg(15)->Arg(15'000);

}  // namespace
}  // namespace lockd::bench
