// Microbenchmarks of the engine alone: what many locks take, of one call and of memory, from the first to the last and
// back.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <ctime>

#include "bench/engine_bench.h"

namespace lockd::bench {
namespace {

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

BENCHMARK(grow_to_a_million)->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(end_of_session)->Arg(66)->Unit(benchmark::kMicrosecond)->Iterations(10'000);
BENCHMARK(end_of_session)->Arg(10'000)->Unit(benchmark::kMicrosecond)->Iterations(100);
BENCHMARK(memory_given_back)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace lockd::bench
