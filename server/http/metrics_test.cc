// The metrics' text, of numbers made up here, against lines written by hand.
#include "server/http/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/protocol.h"

namespace lockd::server {
namespace {

void count(Counter& counter, int times) {
  for (int i = 0; i < times; ++i) counter.count();
}

Counter& failed(Statistics& statistics, LockKind kind, Failure why) {
  return statistics.failed_gets[static_cast<std::size_t>(kind)][static_cast<std::size_t>(why)];
}

/// The text of a family, its help left out: from its `# TYPE` line to the next one's help.
std::string family(const std::string& text, const std::string& name) {
  const std::size_t from = text.find("# TYPE " + name + " ");
  if (from == std::string::npos) return name + " is missing";
  return text.substr(from, text.find("# HELP", from) - from);
}

class Metrics : public testing::Test {
 protected:
  std::string text() const { return metrics_text(snapshot, threads, process); }

  Snapshot snapshot;
  std::array<Statistics, 2> threads;
  ProcessNumbers process;
};

TEST_F(Metrics, L3_S4_connections) {
  snapshot.connections = 3;
  snapshot.connections_max = 1000;
  snapshot.connections_total = 17;
  snapshot.refused_total = 4;
  snapshot.dropped_total = 5;
  count(threads[1].dropped_connections, 2);
  count(threads[0].refused_handshakes, 6);
  count(threads[1].refused_handshakes, 2);
  count(threads[1].refused_origins, 3);
  const std::string shown = text();
  EXPECT_EQ(family(shown, "lockd_connections"), "# TYPE lockd_connections gauge\nlockd_connections 3\n");
  EXPECT_EQ(family(shown, "lockd_connections_max"), "# TYPE lockd_connections_max gauge\nlockd_connections_max 1000\n");
  EXPECT_EQ(family(shown, "lockd_connections_total"),
            "# TYPE lockd_connections_total counter\nlockd_connections_total 17\n");
  EXPECT_EQ(family(shown, "lockd_connections_rejected_total"),
            "# TYPE lockd_connections_rejected_total counter\n"
            "lockd_connections_rejected_total{reason=\"too_many_connections\"} 4\n"
            "lockd_connections_rejected_total{reason=\"out_of_memory\"} 7\n"
            "lockd_connections_rejected_total{reason=\"handshake\"} 8\n"
            "lockd_connections_rejected_total{reason=\"origin\"} 3\n");
  EXPECT_EQ(family(shown, "lockd_accepting"), "# TYPE lockd_accepting gauge\nlockd_accepting 1\n");
  snapshot.accepts = false;
  EXPECT_EQ(family(text(), "lockd_accepting"), "# TYPE lockd_accepting gauge\nlockd_accepting 0\n");
}

TEST_F(Metrics, L3_commands_are_summed_over_the_threads) {
  count(threads[0].commands[static_cast<std::size_t>(Verb::get)], 2);
  count(threads[1].commands[static_cast<std::size_t>(Verb::get)], 3);
  count(threads[1].commands[static_cast<std::size_t>(Verb::statistics)], 1);
  const std::string shown = family(text(), "lockd_commands_total");
  EXPECT_EQ(std::ranges::count(shown, '\n'), std::ptrdiff_t{1 + verb_count});
  EXPECT_NE(shown.find("\nlockd_commands_total{command=\"g\"} 5\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\nlockd_commands_total{command=\"stats\"} 1\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\nlockd_commands_total{command=\"gw\"} 0\n"), std::string::npos) << shown;
}

TEST_F(Metrics, F6_F8_F9_F11_W2_what_was_refused) {
  count(threads[0].invalid_commands, 1);
  count(threads[1].invalid_commands, 1);
  count(threads[0].bad_arguments, 3);
  count(threads[1].lines_too_long, 4);
  count(threads[0].inputs_too_much, 5);
  count(threads[1].browsers, 6);
  const std::string shown = text();
  EXPECT_NE(shown.find("\nlockd_invalid_commands_total 2\n"), std::string::npos);
  EXPECT_NE(shown.find("\nlockd_bad_arguments_total 3\n"), std::string::npos);
  EXPECT_NE(shown.find("\nlockd_lines_too_long_total 4\n"), std::string::npos);
  EXPECT_NE(shown.find("\nlockd_inputs_too_much_total 5\n"), std::string::npos);
  EXPECT_NE(shown.find("\nlockd_browsers_total 6\n"), std::string::npos);
}

TEST_F(Metrics, L3_E3_locks_by_mode) {
  snapshot.totals[LockKind::exclusive] = {.keys = 1, .holders = 2, .waiters = 3, .longest_line = 4, .waits = 5};
  snapshot.totals[LockKind::exclusive].orphans = 6;
  snapshot.totals[LockKind::shared] = {.keys = 11, .holders = 12, .waiters = 13, .longest_line = 14, .waits = 15};
  snapshot.totals[LockKind::shared].orphans = 16;
  const std::string shown = text();
  EXPECT_EQ(family(shown, "lockd_locks"),
            "# TYPE lockd_locks gauge\nlockd_locks{mode=\"exclusive\"} 1\nlockd_locks{mode=\"shared\"} 11\n");
  EXPECT_EQ(family(shown, "lockd_holders"),
            "# TYPE lockd_holders gauge\nlockd_holders{mode=\"exclusive\"} 2\nlockd_holders{mode=\"shared\"} 12\n");
  EXPECT_EQ(family(shown, "lockd_waiters"),
            "# TYPE lockd_waiters gauge\nlockd_waiters{mode=\"exclusive\"} 3\nlockd_waiters{mode=\"shared\"} 13\n");
  EXPECT_EQ(family(shown, "lockd_longest_line"),
            "# TYPE lockd_longest_line gauge\n"
            "lockd_longest_line{mode=\"exclusive\"} 4\nlockd_longest_line{mode=\"shared\"} 14\n");
  EXPECT_EQ(family(shown, "lockd_waits_total"),
            "# TYPE lockd_waits_total counter\n"
            "lockd_waits_total{mode=\"exclusive\"} 5\nlockd_waits_total{mode=\"shared\"} 15\n");
  EXPECT_EQ(family(shown, "lockd_orphans_total"),
            "# TYPE lockd_orphans_total counter\n"
            "lockd_orphans_total{mode=\"exclusive\"} 6\nlockd_orphans_total{mode=\"shared\"} 16\n");
}

TEST_F(Metrics, X1_C1_S5_W1_W6_W7_W9_T1_acquires_by_outcome) {
  snapshot.totals[LockKind::exclusive].grants = 100;
  snapshot.totals[LockKind::shared].grants = 200;
  int times = 1;
  for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
    for (std::size_t why = 0; why < failure_count; ++why)
      count(failed(threads[why % 2], kind, static_cast<Failure>(why)), times++);
  }
  count(failed(threads[1], LockKind::exclusive, Failure::busy), 20);
  const std::string shown = text();
  const std::string begin = "lockd_acquires_total{mode=";
  EXPECT_EQ(family(shown, "lockd_acquires_total"),
            "# TYPE lockd_acquires_total counter\n" +                        //
                begin + "\"exclusive\",outcome=\"granted\"} 100\n" +         //
                begin + "\"exclusive\",outcome=\"busy\"} 21\n" +             //
                begin + "\"exclusive\",outcome=\"timeout\"} 2\n" +           //
                begin + "\"exclusive\",outcome=\"canceled\"} 3\n" +          //
                begin + "\"exclusive\",outcome=\"deadlock\"} 4\n" +          //
                begin + "\"exclusive\",outcome=\"too_many_locks\"} 5\n" +    //
                begin + "\"exclusive\",outcome=\"too_many_waiters\"} 6\n" +  //
                begin + "\"exclusive\",outcome=\"out_of_tokens\"} 7\n" +     //
                begin + "\"shared\",outcome=\"granted\"} 200\n" +            //
                begin + "\"shared\",outcome=\"busy\"} 8\n" +                 //
                begin + "\"shared\",outcome=\"timeout\"} 9\n" +              //
                begin + "\"shared\",outcome=\"canceled\"} 10\n" +            //
                begin + "\"shared\",outcome=\"deadlock\"} 11\n" +            //
                begin + "\"shared\",outcome=\"too_many_locks\"} 12\n" +      //
                begin + "\"shared\",outcome=\"too_many_waiters\"} 13\n" +    //
                begin + "\"shared\",outcome=\"out_of_tokens\"} 14\n");
  EXPECT_EQ(family(shown, "lockd_deadlocks_total"), "# TYPE lockd_deadlocks_total counter\nlockd_deadlocks_total 15\n");
}

TEST_F(Metrics, E3_histograms_are_in_seconds_and_cumulative) {
  for (const std::uint64_t ms : {0U, 1U, 2U, 500U, 1'000'001U}) snapshot.totals[LockKind::exclusive].wait_ms.count(ms);
  snapshot.totals[LockKind::shared].hold_ms.count(99'999);
  const std::string shown = text();
  const std::string waits = family(shown, "lockd_wait_seconds");
  EXPECT_EQ(waits.substr(0, waits.find("lockd_wait_seconds_count{mode=\"shared\"}")),
            "# TYPE lockd_wait_seconds histogram\n"
            "lockd_wait_seconds_count{mode=\"exclusive\"} 5\n"
            "lockd_wait_seconds_sum{mode=\"exclusive\"} 1000.504\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.001\"} 2\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.002\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.005\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.01\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.025\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.05\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.1\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.25\"} 3\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"0.5\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"1\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"2.5\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"5\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"10\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"25\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"50\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"100\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"250\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"500\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"1000\"} 4\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"2500\"} 5\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"5000\"} 5\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"10000\"} 5\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"25000\"} 5\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"50000\"} 5\n"
            "lockd_wait_seconds_bucket{mode=\"exclusive\",le=\"+Inf\"} 5\n");
  const std::string holds = family(shown, "lockd_hold_seconds");
  EXPECT_NE(holds.find("\nlockd_hold_seconds_sum{mode=\"shared\"} 99.999\n"), std::string::npos);
  EXPECT_NE(holds.find("\nlockd_hold_seconds_bucket{mode=\"shared\",le=\"10\"} 0\n"), std::string::npos);
  EXPECT_NE(holds.find("\nlockd_hold_seconds_bucket{mode=\"shared\",le=\"100\"} 1\n"), std::string::npos);
  EXPECT_NE(holds.find("\nlockd_hold_seconds_count{mode=\"exclusive\"} 0\n"), std::string::npos);
}

TEST_F(Metrics, E3_the_oldest_waiter_of_both_kinds) {
  EXPECT_NE(text().find("\nlockd_oldest_waiter_seconds 0\n"), std::string::npos);
  snapshot.now = 10'000;
  snapshot.totals[LockKind::exclusive].oldest_wait = 9'000;
  EXPECT_NE(text().find("\nlockd_oldest_waiter_seconds 1\n"), std::string::npos);
  snapshot.totals[LockKind::shared].oldest_wait = 7'750;
  EXPECT_NE(text().find("\nlockd_oldest_waiter_seconds 2.25\n"), std::string::npos);
  snapshot.now = 5'000;  // a thread whose clock was read earlier
  EXPECT_NE(text().find("\nlockd_oldest_waiter_seconds 0\n"), std::string::npos);
}

TEST_F(Metrics, the_process) {
  process = {.cpu_seconds = 1.5,
             .start_time_seconds = 1'700'000'000.25,
             .virtual_bytes = 4096,
             .resident_bytes = 2048,
             .descriptors = 12,
             .descriptors_max = 1024};
  const std::string shown = text();
  for (const char* const line :
       {"process_cpu_seconds_total 1.5", "process_start_time_seconds 1700000000.25",
        "process_virtual_memory_bytes 4096", "process_resident_memory_bytes 2048", "process_open_fds 12",
        "process_max_fds 1024", "lockd_build_info{version=\"" LOCKD_VERSION "\"} 1"}) {
    EXPECT_NE(shown.find("\n" + std::string(line) + "\n"), std::string::npos) << line;
  }
}

TEST_F(Metrics, large_numbers_are_not_rounded) {
  snapshot.connections_total = (std::uint64_t{1} << 53) - 1;
  EXPECT_NE(text().find("\nlockd_connections_total 9007199254740991\n"), std::string::npos);
}

TEST_F(Metrics, each_family_comes_once_with_its_help_first) {
  std::istringstream lines(text());
  std::set<std::string> seen;
  std::string name, line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("# HELP ")) continue;
    std::istringstream(line.substr(7)) >> name;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_TRUE(line.ends_with('.')) << line;
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with("# TYPE " + name + " ")) << line;
  }
  EXPECT_GT(seen.size(), 25U);
}

}  // namespace
}  // namespace lockd::server
