#include "server/http/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "server/protocol.h"

namespace lockd::server {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::array kinds = {LockKind::exclusive, LockKind::shared};

constexpr std::array failures = {
    std::pair{Failure::busy, "busy"},
    std::pair{Failure::timeout, "timeout"},
    std::pair{Failure::canceled, "canceled"},
    std::pair{Failure::deadlock, "deadlock"},
    std::pair{Failure::too_many_locks, "too_many_locks"},
    std::pair{Failure::too_many_waiters, "too_many_waiters"},
    std::pair{Failure::out_of_tokens, "out_of_tokens"},
};
static_assert(failures.size() == failure_count);

ClientMetric::Label mode(LockKind kind) { return {"mode", kind == LockKind::exclusive ? "exclusive" : "shared"}; }

double seconds(std::uint64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

/// One family after the other, and to the last of them one value after the other.
class Families {
 public:
  void gauge(std::string_view name, std::string_view help) { add(name, help, MetricType::Gauge); }
  void counter(std::string_view name, std::string_view help) { add(name, help, MetricType::Counter); }
  void histogram(std::string_view name, std::string_view help) { add(name, help, MetricType::Histogram); }

  template <class Number>
  void value(Number number, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (all_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = static_cast<double>(number);
    all_.back().metric.push_back(std::move(metric));
  }

  void value(const engine::Histogram& histogram, Labels labels) {
    using engine::Histogram;
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.histogram.sample_count = histogram.total();
    metric.histogram.sample_sum = seconds(histogram.sum_ms);
    for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
      const bool bounded = i < Histogram::bounds_ms.size();
      const double bound = bounded ? seconds(Histogram::bounds_ms[i]) : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({histogram.cumulative(i), bound});
    }
    all_.back().metric.push_back(std::move(metric));
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(all_); }

 private:
  void add(std::string_view name, std::string_view help, MetricType type) {
    all_.push_back({std::string(name), std::string(help), type, {}});
  }

  std::vector<MetricFamily> all_;
};

template <class Count>
std::uint64_t sum(std::span<const Statistics> threads, Count count) {
  std::uint64_t total = 0;
  for (const Statistics& thread : threads) total += count(thread);
  return total;
}

std::uint64_t sum(std::span<const Statistics> threads, Counter Statistics::* counter) {
  return sum(threads, [counter](const Statistics& thread) { return (thread.*counter).value(); });
}

void add_connections(Families& families, const Snapshot& now, std::span<const Statistics> threads) {
  families.gauge("lockd_connections",
                 "Client connections that are open, those in a handshake and those that are closing included.");
  families.value(now.connections);
  families.gauge("lockd_connections_max", "Client connections that are served at once; one more is rejected.");
  families.value(now.connections_max);
  families.counter("lockd_connections_total", "Client connections accepted since the start.");
  families.value(now.connections_total);
  families.counter("lockd_connections_rejected_total", "Client connections turned away since the start, by reason.");
  families.value(now.refused_total, {{"reason", "too_many_connections"}});
  families.value(now.dropped_total + sum(threads, &Statistics::dropped_connections), {{"reason", "out_of_memory"}});
  families.value(sum(threads, &Statistics::refused_handshakes), {{"reason", "handshake"}});
  families.value(sum(threads, &Statistics::refused_origins), {{"reason", "origin"}});
  families.gauge("lockd_accepting",
                 "1 if new connections are accepted, 0 if that pauses for want of descriptors or memory.");
  families.value(now.accepts ? 1 : 0);
}

void add_commands(Families& families, std::span<const Statistics> threads) {
  families.counter("lockd_commands_total", "Requests with a known command since the start, by command.");
  for (std::size_t row = 0; row < verb_table.size(); ++row) {
    const std::uint64_t total = sum(threads, [row](const Statistics& each) { return each.commands[row].value(); });
    families.value(total, {{"command", std::string(verb_table[row].name)}});
  }
  families.counter("lockd_invalid_commands_total", "Requests with an unknown command since the start.");
  families.value(sum(threads, &Statistics::invalid_commands));
  families.counter("lockd_bad_arguments_total", "Requests with arguments that are wrong since the start.");
  families.value(sum(threads, &Statistics::bad_arguments));
  families.counter("lockd_lines_too_long_total", "Requests longer than --max-line-bytes since the start.");
  families.value(sum(threads, &Statistics::lines_too_long));
  families.counter("lockd_inputs_too_much_total",
                   "Connections ended since the start because a waiting client sent more than --max-input-bytes.");
  families.value(sum(threads, &Statistics::inputs_too_much));
  families.counter("lockd_browsers_total", "Connections ended since the start because a web browser spoke.");
  families.value(sum(threads, &Statistics::browsers));
}

/// A family with a number of each kind of lock.
template <class Number>
void by_mode(Families& families, const engine::Totals& totals, Number number) {
  for (const LockKind kind : kinds) families.value(number(totals[kind]), {mode(kind)});
}

void add_locks(Families& families, const engine::Totals& totals) {
  families.gauge("lockd_locks", "Keys that somebody holds.");
  by_mode(families, totals, [](const auto& kind) { return kind.keys; });
  families.gauge("lockd_holders", "Holds: a shared key counts as often as it is held.");
  by_mode(families, totals, [](const auto& kind) { return kind.holders; });
  families.gauge("lockd_waiters", "Clients that wait in line for a lock.");
  by_mode(families, totals, [](const auto& kind) { return kind.waiters; });
  families.gauge("lockd_longest_line", "Clients in the longest line.");
  by_mode(families, totals, [](const auto& kind) { return kind.longest_line; });
  families.counter("lockd_waits_total", "Waits in line that have begun since the start.");
  by_mode(families, totals, [](const auto& kind) { return kind.waits; });
  families.counter("lockd_orphans_total", "Locks released since the start because their connection ended.");
  by_mode(families, totals, [](const auto& kind) { return kind.orphans; });
}

void add_acquires(Families& families, const engine::Totals& totals, std::span<const Statistics> threads) {
  families.counter("lockd_acquires_total",
                   "Attempts to get a lock since the start, by how they ended; getting again what one holds is none.");
  for (const LockKind kind : kinds) {
    families.value(totals[kind].grants, {mode(kind), {"outcome", "granted"}});
    for (const auto& [why, name] : failures) {
      const std::uint64_t total = sum(threads, [&](const Statistics& each) { return each.failed(kind, why); });
      families.value(total, {mode(kind), {"outcome", name}});
    }
  }
  families.counter("lockd_deadlocks_total", "Waits refused since the start because they would have closed a circle.");
  families.value(sum(threads, [](const Statistics& each) {
    return each.failed(LockKind::exclusive, Failure::deadlock) + each.failed(LockKind::shared, Failure::deadlock);
  }));
}

void add_durations(Families& families, const Snapshot& now) {
  families.histogram("lockd_wait_seconds", "How long waits in line lasted, however they ended.");
  by_mode(families, now.totals, [](const auto& kind) { return kind.wait_ms; });
  families.histogram("lockd_hold_seconds", "How long locks were held, until they were released or orphaned.");
  by_mode(families, now.totals, [](const auto& kind) { return kind.hold_ms; });
  engine::KindTotals both = now.totals[LockKind::exclusive];
  both += now.totals[LockKind::shared];
  families.gauge("lockd_oldest_waiter_seconds",
                 "For how long the longest of the waits in line has lasted; 0 if nobody waits.");
  families.value(both.oldest_wait ? seconds(now.now - std::min(now.now, *both.oldest_wait)) : 0);
}

void add_process(Families& families, const ProcessNumbers& process) {
  families.gauge("lockd_build_info", "1, labeled with the version.");
  families.value(1, {{"version", LOCKD_VERSION}});
  families.counter("process_cpu_seconds_total", "User and system CPU time since the start, in seconds.");
  families.value(process.cpu_seconds);
  families.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.");
  families.value(process.start_time_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory, in bytes.");
  families.value(process.resident_bytes);
  families.gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.");
  families.value(process.virtual_bytes);
  families.gauge("process_open_fds", "Open file descriptors.");
  families.value(process.descriptors);
  families.gauge("process_max_fds", "The limit on open file descriptors.");
  families.value(process.descriptors_max);
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot, std::span<const Statistics> threads, const ProcessNumbers& process) {
  Families families;
  add_connections(families, snapshot, threads);
  add_commands(families, threads);
  add_locks(families, snapshot.totals);
  add_acquires(families, snapshot.totals, threads);
  add_durations(families, snapshot);
  add_process(families, process);
  return families.text();
}

}  // namespace lockd::server
