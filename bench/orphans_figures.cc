// Verdict, table and JSON.
#include "bench/orphans_figures.h"

#include <fmt/core.h>

#include <boost/json.hpp>

namespace lockd::bench {
namespace {

double per(std::size_t after, std::size_t before, std::size_t count) {
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(count);
}

double mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

boost::json::object latency_json(const LatencySummary& summary) {
  return {
      {"samples", summary.count}, {"p50_us", summary.p50_us}, {"p99_us", summary.p99_us}, {"max_us", summary.max_us}};
}

boost::json::object memory_json(const OrphansFigures& figures) {
  return {{"at_start", figures.bytes_at_start},
          {"idle", figures.bytes_idle},
          {"holding", figures.bytes_holding},
          {"dropped", figures.bytes_dropped},
          {"max", figures.bytes_max},
          {"per_connection", figures.bytes_per_connection()},
          {"per_lock", figures.bytes_per_lock()}};
}

std::string innocent_table(const OrphansFigures& figures) {
  std::string table = "  innocent's round trip     p50 us    p99 us    max us   samples\n";
  for (std::size_t phase = 0; phase < phase_names.size(); ++phase) {
    const LatencySummary& each = figures.innocent[phase];
    table += fmt::format("    {:20} {:9.0f} {:9.0f} {:9.0f} {:9}\n", phase_names[phase], each.p50_us, each.p99_us,
                         each.max_us, each.count);
  }
  return table;
}

}  // namespace

double OrphansFigures::bytes_per_connection() const { return per(bytes_idle, bytes_at_start, plan.connections()); }

double OrphansFigures::bytes_per_lock() const { return per(bytes_holding, bytes_idle, plan.locks()); }

std::vector<std::string> complaints(const OrphansFigures& figures) {
  std::vector<std::string> found;
  const auto expect = [&](const char* what, std::size_t actual, std::size_t expected) {
    if (actual != expected) found.push_back(fmt::format("{}: {}, should be {}", what, actual, expected));
  };
  const LockPlan& plan = figures.plan;
  expect("connections while holding", figures.counters_holding.connections,
         figures.counters_at_start.connections + plan.connections());
  expect("locks while holding", figures.counters_holding.locks, plan.per_kind());
  expect("shared_locks while holding", figures.counters_holding.shared_locks, plan.shared_keys());
  expect("connections at the end", figures.counters_at_end.connections, figures.counters_at_start.connections);
  expect("locks at the end", figures.counters_at_end.locks, 0);
  expect("shared_locks at the end", figures.counters_at_end.shared_locks, 0);
  expect("orphans", figures.counters_at_end.orphans, plan.per_kind());
  expect("shared_orphans", figures.counters_at_end.shared_orphans, plan.per_kind());
  expect("descriptors at the end", figures.descriptors_at_end, figures.descriptors_at_start);
  expect("dumps that did not show each lock once", figures.dumps.wrong, 0);
  expect("lines of list", figures.list_lines, plan.locks());
  expect("exit status", static_cast<std::size_t>(figures.exit_status), 0);
  if (figures.dumps.whole[0] == 0 || figures.dumps.whole[1] == 0)
    found.emplace_back("no dump began and ended while all was held");
  return found;
}

std::string as_table(const OrphansFigures& figures) {
  const LockPlan& plan = figures.plan;
  std::string table =
      fmt::format("{} connections, {} locks: {} exclusive, {} shared on {} keys; --threads {}\n", plan.connections(),
                  plan.locks(), plan.per_kind(), plan.per_kind(), plan.shared_keys(), figures.threads);
  table += fmt::format("  connect all           {:9.3f} s\n", figures.connect_seconds);
  table += fmt::format("  take all locks        {:9.3f} s   {:.0f} locks/s\n", figures.take_seconds,
                       static_cast<double>(plan.locks()) / figures.take_seconds);
  table += fmt::format("  list all locks        {:9.3f} s\n", figures.list_seconds);
  table += fmt::format("  until the last is free{:9.3f} s   of which the client's closing took {:.3f} s\n",
                       figures.free_seconds, figures.close_seconds);
  table += fmt::format("  until all are gone    {:9.3f} s\n", figures.gone_seconds);
  table += fmt::format("  resident per idle connection {:.0f} bytes, per lock {:.1f} bytes\n",
                       figures.bytes_per_connection(), figures.bytes_per_lock());
  table +=
      fmt::format("  resident MiB: {:.1f} at start, {:.1f} idle, {:.1f} holding, {:.1f} dropped, {:.1f} at most\n",
                  mebibytes(figures.bytes_at_start), mebibytes(figures.bytes_idle), mebibytes(figures.bytes_holding),
                  mebibytes(figures.bytes_dropped), mebibytes(figures.bytes_max));
  table += innocent_table(figures);
  table += fmt::format("  meanwhile {} q, and {} dumps, {:.1f} MiB (largest {:.1f})\n", figures.counter_reads,
                       figures.dumps.dumps, mebibytes(figures.dumps.bytes), mebibytes(figures.dumps.bytes_max));
  return table;
}

std::string as_json(const OrphansFigures& figures) {
  boost::json::object innocent;
  for (std::size_t phase = 0; phase < phase_names.size(); ++phase) {
    innocent[phase_names[phase]] = latency_json(figures.innocent[phase]);
  }
  boost::json::array wrong;
  for (const std::string& complaint : complaints(figures)) wrong.emplace_back(complaint);
  return boost::json::serialize(boost::json::object{{"connections", figures.plan.connections()},
                                                    {"locks", figures.plan.locks()},
                                                    {"threads", figures.threads},
                                                    {"connect_seconds", figures.connect_seconds},
                                                    {"take_seconds", figures.take_seconds},
                                                    {"list_seconds", figures.list_seconds},
                                                    {"close_seconds", figures.close_seconds},
                                                    {"free_seconds", figures.free_seconds},
                                                    {"gone_seconds", figures.gone_seconds},
                                                    {"resident_bytes", memory_json(figures)},
                                                    {"innocent", innocent},
                                                    {"orphans", figures.counters_at_end.orphans},
                                                    {"shared_orphans", figures.counters_at_end.shared_orphans},
                                                    {"counter_reads", figures.counter_reads},
                                                    {"dumps", figures.dumps.dumps},
                                                    {"complaints", wrong}}) +
         "\n";
}

}  // namespace lockd::bench
