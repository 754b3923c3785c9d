#include "server/counters.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "engine/sharded_table.h"
#include "server/protocol.h"

namespace lockd::server {

namespace {

/// By name, in the order in which they are printed.
using Counters = std::map<std::string, std::uint64_t>;

constexpr std::array classic_verbs = {
    Verb::list_locks, Verb::dump,    Verb::get,         Verb::inspect,    Verb::name_me,        Verb::me,
    Verb::counters,   Verb::release, Verb::list_shared, Verb::get_shared, Verb::inspect_shared, Verb::release_shared,
    Verb::who};

template <class Mutex, class CounterOf>
std::uint64_t sum(const Services<Mutex>& services, CounterOf counter_of) {
  std::uint64_t total = 0;
  for (const Statistics& thread : services.all_statistics) total += counter_of(thread).value();
  return total;
}

template <class Mutex>
void add_verb(Counters& counters, Verb verb, const Services<Mutex>& services) {
  const auto row = static_cast<std::size_t>(verb);
  counters[std::string("command_").append(verb_table[row].name)] =
      sum(services, [row](const Statistics& thread) -> const Counter& { return thread.commands[row]; });
}

template <class Mutex>
Counters classic_counters(const Services<Mutex>& services, const engine::Totals& totals) {
  Counters counters;
  for (const Verb verb : classic_verbs) add_verb(counters, verb, services);
  counters["connections"] = services.registry.size();
  counters["invalid_commands"] =
      sum(services, [](const Statistics& thread) -> const Counter& { return thread.invalid_commands; });
  counters["locks"] = totals[LockKind::exclusive].keys;
  counters["orphans"] = totals[LockKind::exclusive].orphans;
  counters["shared_locks"] = totals[LockKind::shared].keys;
  counters["shared_orphans"] = totals[LockKind::shared].orphans;
  return counters;
}

void add_histogram(Counters& counters, const std::string& name, const engine::Histogram& histogram) {
  const auto& bounds = engine::Histogram::bounds_ms;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    counters[name + "_le_" + std::to_string(bounds[i])] = histogram.cumulative(i);
  }
  counters[name + "_le_inf"] = histogram.cumulative(bounds.size());
  counters[name + "_sum"] = histogram.sum_ms;
}

void print_lines(const Counters& counters, std::string& out) {
  for (const auto& [name, number] : counters) {
    print_number(out.append(name).append(": "), number);
    out.push_back('\n');
  }
}

}  // namespace

template <class Mutex>
void print_classic_counters(const Services<Mutex>& services, std::string& out) {
  print_lines(classic_counters(services, services.table.totals()), out);
}

template <class Mutex>
void print_statistics(const Services<Mutex>& services, std::string& out) {
  const engine::Totals totals = services.table.totals();
  Counters counters = classic_counters(services, totals);
  for (const VerbRow& row : verb_table) add_verb(counters, row.verb, services);

  struct Named {
    std::string_view name;
    Counter Statistics::* counter;
  };
  constexpr std::array<Named, 8> counted = {{{"bad_arguments", &Statistics::bad_arguments},
                                             {"browsers", &Statistics::browsers},
                                             {"cancels", &Statistics::cancels},
                                             {"deadlocks", &Statistics::deadlocks},
                                             {"lines_too_long", &Statistics::lines_too_long},
                                             {"refusals", &Statistics::refusals},
                                             {"timeouts", &Statistics::timeouts},
                                             {"too_much_input", &Statistics::inputs_too_much}}};
  for (const auto& [name, counter] : counted) {
    counters[std::string(name)] =
        sum(services, [counter](const Statistics& thread) -> const Counter& { return thread.*counter; });
  }

  engine::KindTotals both = totals[LockKind::exclusive];
  both += totals[LockKind::shared];
  const engine::Moment now = services.turn.now;
  counters["grants"] = both.grants;
  counters["holders"] = both.holders;
  counters["longest_line"] = both.longest_line;
  counters["oldest_waiter_ms"] = both.oldest_wait ? now - std::min(now, *both.oldest_wait) : 0;
  counters["waiters"] = both.waiters;
  counters["waits"] = both.waits;
  add_histogram(counters, "hold_ms", both.hold_ms);
  add_histogram(counters, "wait_ms", both.wait_ms);

  print_lines(counters, out);
  out.append("END\n");
}

template void print_classic_counters(const Services<engine::NullMutex>& services, std::string& out);
template void print_classic_counters(const Services<std::mutex>& services, std::string& out);
template void print_statistics(const Services<engine::NullMutex>& services, std::string& out);
template void print_statistics(const Services<std::mutex>& services, std::string& out);

}  // namespace lockd::server
