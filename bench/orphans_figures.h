// What bench/orphans measured, what it makes of it, and how it tells.
#ifndef LOCKD_BENCH_ORPHANS_FIGURES_H_
#define LOCKD_BENCH_ORPHANS_FIGURES_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/counters.h"
#include "bench/latency.h"
#include "bench/lock_plan.h"
#include "bench/observers.h"
#include "bench/phase.h"

namespace lockd::bench {

struct OrphansFigures {
  OrphansFigures(const LockPlan& of_plan, std::size_t server_threads) : plan(of_plan), threads(server_threads) {}

  LockPlan plan;
  std::size_t threads;

  double connect_seconds = 0;
  double take_seconds = 0;
  double list_seconds = 0;   // from the request to END
  double close_seconds = 0;  // what the closing of all sockets took the client
  double free_seconds = 0;   // from the first close to the first `q` that shows no lock
  double gone_seconds = 0;   // from the first close to the first `q` that shows no session

  // Resident memory of the server, before the holders connect, when all are idle, when all locks are held, when all is
  // dropped, and the most that it ever was.
  std::size_t bytes_at_start = 0;
  std::size_t bytes_idle = 0;
  std::size_t bytes_holding = 0;
  std::size_t bytes_dropped = 0;
  std::size_t bytes_max = 0;

  std::array<LatencySummary, phase_names.size()> innocent{};
  DumpReader::Tally dumps;
  std::size_t counter_reads = 0;
  std::size_t list_lines = 0;  // before END

  Counters counters_at_start;
  Counters counters_holding;
  Counters counters_at_end;
  std::size_t descriptors_at_start = 0;
  std::size_t descriptors_at_end = 0;
  int exit_status = 0;

  double bytes_per_connection() const;
  double bytes_per_lock() const;
};

/// What should not be so, a line each: a lock or a session left, orphans not exact, counters wrong while all was held,
/// dumps wrong or none, lines of `list` too few or many, descriptors not back, the server not ended well. Never a word
/// on time or memory.
std::vector<std::string> complaints(const OrphansFigures& figures);

/// The table for people, lines ended by LF.
std::string as_table(const OrphansFigures& figures);

/// The same as one JSON object, with the complaints.
std::string as_json(const OrphansFigures& figures);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_ORPHANS_FIGURES_H_
