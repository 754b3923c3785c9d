#include "server/counters.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string_view>

#include "engine/sharded_table.h"
#include "server/protocol.h"

namespace lockd::server {

namespace {

/// L3, in the order of their names.
constexpr std::array classic_verbs = {
    Verb::list_locks, Verb::dump,    Verb::get,         Verb::inspect,    Verb::name_me,        Verb::me,
    Verb::counters,   Verb::release, Verb::list_shared, Verb::get_shared, Verb::inspect_shared, Verb::release_shared,
    Verb::who};

std::array<Verb, verb_count> verbs_by_name() {
  std::array<Verb, verb_count> verbs;
  std::ranges::transform(verb_table, verbs.begin(), &VerbRow::verb);
  std::ranges::sort(verbs, {}, [](Verb verb) { return verb_table[static_cast<std::size_t>(verb)].name; });
  return verbs;
}

/// Appends line after line. Whoever calls it does so in the order of names.
class Printer {
 public:
  Printer(std::span<const Statistics> threads, std::string& out) : threads_(threads), out_(out) {}

  void line(std::string_view name, std::uint64_t number) {
    print_number(out_.append(name).append(": "), number);
    out_.push_back('\n');
  }

  void counted(std::string_view name, Counter Statistics::* counter) {
    std::uint64_t total = 0;
    for (const Statistics& thread : threads_) total += (thread.*counter).value();
    line(name, total);
  }

  void failed_gets(std::string_view name, std::initializer_list<Failure> reasons) {
    std::uint64_t total = 0;
    for (const Statistics& thread : threads_) {
      for (const Failure why : reasons) total += thread.failed(LockKind::exclusive, why);
      for (const Failure why : reasons) total += thread.failed(LockKind::shared, why);
    }
    line(name, total);
  }

  void commands(std::span<const Verb> verbs) {
    for (const Verb verb : verbs) {
      const auto row = static_cast<std::size_t>(verb);
      std::uint64_t total = 0;
      for (const Statistics& thread : threads_) total += thread.commands[row].value();
      out_.append("command_");
      line(verb_table[row].name, total);
    }
  }

  /// Of the histogram's bounds those that E3 names.
  void histogram(std::string_view name, const engine::Histogram& histogram) {
    for (const std::uint64_t bound : {1U, 10U, 100U, 1'000U, 10'000U, 100'000U, 1'000'000U}) {
      print_number(out_.append(name).append("_le_"), bound);
      line("", histogram.cumulative(engine::Histogram::bucket_of(bound)));
    }
    out_.append(name);
    line("_le_inf", histogram.total());
    out_.append(name);
    line("_sum", histogram.sum_ms);
  }

 private:
  std::span<const Statistics> threads_;
  std::string& out_;
};

}  // namespace

template <class Mutex>
void print_classic_counters(const Services<Mutex>& services, std::string& out) {
  const engine::Totals totals = services.table.totals();
  Printer print(services.all_statistics, out);
  print.commands(classic_verbs);
  print.line("connections", services.registry.size());
  print.counted("invalid_commands", &Statistics::invalid_commands);
  print.line("locks", totals[LockKind::exclusive].keys);
  print.line("orphans", totals[LockKind::exclusive].orphans);
  print.line("shared_locks", totals[LockKind::shared].keys);
  print.line("shared_orphans", totals[LockKind::shared].orphans);
}

template <class Mutex>
void print_statistics(const Services<Mutex>& services, std::string& out) {
  static const std::array<Verb, verb_count> all_verbs = verbs_by_name();
  const engine::Totals totals = services.table.totals();
  engine::KindTotals both = totals[LockKind::exclusive];
  both += totals[LockKind::shared];
  const engine::Moment now = services.turn.now;

  Printer print(services.all_statistics, out);
  print.counted("bad_arguments", &Statistics::bad_arguments);
  print.counted("browsers", &Statistics::browsers);
  print.failed_gets("cancels", {Failure::canceled});
  print.commands(all_verbs);
  print.line("connections", services.registry.size());
  print.failed_gets("deadlocks", {Failure::deadlock});
  print.line("grants", both.grants);
  print.histogram("hold_ms", both.hold_ms);
  print.line("holders", both.holders);
  print.counted("invalid_commands", &Statistics::invalid_commands);
  print.counted("lines_too_long", &Statistics::lines_too_long);
  print.line("locks", totals[LockKind::exclusive].keys);
  print.line("longest_line", both.longest_line);
  print.line("oldest_waiter_ms", both.oldest_wait ? now - std::min(now, *both.oldest_wait) : 0);
  print.line("orphans", totals[LockKind::exclusive].orphans);
  print.failed_gets("refusals",
                    {Failure::busy, Failure::too_many_locks, Failure::too_many_waiters, Failure::out_of_tokens});
  print.line("shared_locks", totals[LockKind::shared].keys);
  print.line("shared_orphans", totals[LockKind::shared].orphans);
  print.failed_gets("timeouts", {Failure::timeout});
  print.counted("too_much_input", &Statistics::inputs_too_much);
  print.histogram("wait_ms", both.wait_ms);
  print.line("waiters", both.waiters);
  print.line("waits", both.waits);
  out.append("END\n");
}

template void print_classic_counters(const Services<engine::NullMutex>& services, std::string& out);
template void print_classic_counters(const Services<std::mutex>& services, std::string& out);
template void print_statistics(const Services<engine::NullMutex>& services, std::string& out);
template void print_statistics(const Services<std::mutex>& services, std::string& out);

}  // namespace lockd::server
