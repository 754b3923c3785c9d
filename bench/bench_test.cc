// What the benchmarks compute without a server: who takes what, which replies are right, percentiles, and the verdict.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bench/counters.h"
#include "bench/latency.h"
#include "bench/lock_plan.h"
#include "bench/orphans_figures.h"

namespace lockd::bench {
namespace {

std::function<std::string()> lines_of(std::vector<std::string> lines) {
  return [lines = std::move(lines), next = std::size_t{0}]() mutable { return lines.at(next++); };
}

// All requests of a plan: verb and key to the connections that send it.
std::map<std::string, std::multiset<std::size_t>> senders_of(const LockPlan& plan) {
  std::map<std::string, std::multiset<std::size_t>> senders;
  for (std::size_t connection = 0; connection < plan.connections(); ++connection) {
    for (std::size_t i = 0; i < plan.locks_of(connection); ++i) senders[plan.request(connection, i)].insert(connection);
  }
  return senders;
}

TEST(BenchLockPlan, TakesEveryLockOnceByDifferentConnections) {
  const LockPlan plan(15, 1'010);  // neither a multiple of the connections nor of the holders of a key
  std::size_t exclusive = 0;
  std::size_t shared = 0;
  std::size_t shared_keys = 0;
  for (const auto& [request, senders] : senders_of(plan)) {
    EXPECT_EQ(std::set<std::size_t>(senders.begin(), senders.end()).size(), senders.size()) << request;
    if (request.starts_with("g ")) {
      EXPECT_EQ(senders.size(), 1) << request;
      EXPECT_EQ(request.size(), std::string("g ").size() + 21 + 1);
      ++exclusive;
    } else {
      EXPECT_LE(senders.size(), LockPlan::holders_per_key) << request;
      EXPECT_EQ(request.size(), std::string("sg ").size() + 21 + 1);
      shared += senders.size();
      ++shared_keys;
    }
  }
  EXPECT_EQ(exclusive, 505);
  EXPECT_EQ(shared, 505);
  EXPECT_EQ(shared_keys, 51);
  EXPECT_EQ(plan.per_kind(), 505);
  EXPECT_EQ(plan.shared_keys(), 51);
}

TEST(BenchLockPlan, RefusesWhatItCannotShare) {
  EXPECT_THROW(LockPlan(9, 100), std::invalid_argument);
  EXPECT_THROW(LockPlan(10, 101), std::invalid_argument);
  EXPECT_THROW(LockPlan(10, 0), std::invalid_argument);
}

TEST(BenchLockPlan, AcceptsOnlySuccessForItsOwnKey) {
  const LockPlan plan(10, 40);
  ASSERT_EQ(plan.request(3, 2), "g exclusive-00000000013\n");
  EXPECT_TRUE(plan.accepts(3, 2, "1 Lock Get Success: exclusive-00000000013"));
  EXPECT_FALSE(plan.accepts(3, 2, "1 Lock Get Success: exclusive-00000000014"));
  EXPECT_FALSE(plan.accepts(3, 2, "0 Lock Get Failure: exclusive-00000000013"));
  EXPECT_FALSE(plan.accepts(3, 2, "2 Lock Get Success: exclusive-00000000013"));
  EXPECT_FALSE(plan.accepts(3, 2, ""));
}

TEST(BenchLockPlan, AcceptsOneToTenHolders) {
  const LockPlan plan(10, 40);
  ASSERT_EQ(plan.request(3, 3), "sg shared-00000000000001\n");
  EXPECT_TRUE(plan.accepts(3, 3, "1 Shared Lock Get Success: shared-00000000000001"));
  EXPECT_TRUE(plan.accepts(3, 3, "10 Shared Lock Get Success: shared-00000000000001"));
  EXPECT_FALSE(plan.accepts(3, 3, "11 Shared Lock Get Success: shared-00000000000001"));
  EXPECT_FALSE(plan.accepts(3, 3, "0 Shared Lock Get Success: shared-00000000000001"));
  EXPECT_FALSE(plan.accepts(3, 3, "1 Lock Get Success: shared-00000000000001"));
}

TEST(BenchCounters, ReadsOneReply) {
  const Counters counters = read_counters(
      lines_of({"command_d: 7", "connections: 3", "locks: 1", "orphans: 4", "shared_locks: 2", "shared_orphans: 5"}));
  EXPECT_EQ(counters, (Counters{.connections = 3, .locks = 1, .shared_locks = 2, .orphans = 4, .shared_orphans = 5}));
}

TEST(BenchCounters, RefusesWhatIsNoReply) {
  EXPECT_THROW(read_counters(lines_of({"1 pong"})), std::runtime_error);
  EXPECT_THROW(read_counters(lines_of({"locks: 1x"})), std::runtime_error);
  EXPECT_THROW(read_counters(lines_of({"locks: 1", "connections: 3"})), std::runtime_error);
  EXPECT_THROW(read_counters(lines_of({"locks: 1", "shared_orphans: 5"})), std::runtime_error);
}

TEST(BenchLatencySamples, GivesTheSmallestSampleThatEnoughDoNotExceed) {
  LatencySamples samples;
  EXPECT_EQ(samples.summary().count, 0);
  for (int us = 2'000; us >= 1; --us) samples.add(std::chrono::microseconds(us));
  const LatencySummary summary = samples.summary();
  EXPECT_EQ(summary.count, 2'000);
  EXPECT_FLOAT_EQ(static_cast<float>(summary.p50_us), 1'000);
  EXPECT_FLOAT_EQ(static_cast<float>(summary.p99_us), 1'980);
  EXPECT_FLOAT_EQ(static_cast<float>(summary.p999_us), 1'998);
  EXPECT_FLOAT_EQ(static_cast<float>(summary.max_us), 2'000);
}

// A run of 20 connections and 100 locks as it should be.
OrphansFigures clean_run() {
  OrphansFigures figures(LockPlan(20, 100), 1);
  figures.dumps.whole = {1, 1};
  figures.list_lines = 100;
  figures.counters_at_start = {.connections = 3};
  figures.counters_holding = {.connections = 23, .locks = 50, .shared_locks = 5};
  figures.counters_at_end = {.connections = 3, .orphans = 50, .shared_orphans = 50};
  figures.descriptors_at_start = figures.descriptors_at_end = 12;
  return figures;
}

struct Fault {
  const char* named;
  std::function<void(OrphansFigures&)> plant;
};

TEST(BenchComplaints, NameEachFaultAndNothingElse) {
  EXPECT_TRUE(complaints(clean_run()).empty());
  const std::vector<Fault> faults{
      {"connections while holding: 22", [](auto& run) { --run.counters_holding.connections; }},
      {"locks while holding: 49", [](auto& run) { --run.counters_holding.locks; }},
      {"shared_locks while holding: 50", [](auto& run) { run.counters_holding.shared_locks = 50; }},
      {"connections at the end: 4", [](auto& run) { ++run.counters_at_end.connections; }},
      {"locks at the end: 1", [](auto& run) { run.counters_at_end.locks = 1; }},
      {"shared_locks at the end: 1", [](auto& run) { run.counters_at_end.shared_locks = 1; }},
      {"orphans: 51", [](auto& run) { ++run.counters_at_end.orphans; }},
      {"shared_orphans: 5,", [](auto& run) { run.counters_at_end.shared_orphans = 5; }},
      {"descriptors at the end: 13", [](auto& run) { ++run.descriptors_at_end; }},
      {"dumps that did not show each lock once: 1", [](auto& run) { run.dumps.wrong = 1; }},
      {"lines of list: 101", [](auto& run) { ++run.list_lines; }},
      {"exit status: 137", [](auto& run) { run.exit_status = 137; }},
      {"no dump", [](auto& run) { run.dumps.whole[1] = 0; }},
  };
  for (const Fault& fault : faults) {
    OrphansFigures figures = clean_run();
    fault.plant(figures);
    const std::vector<std::string> found = complaints(figures);
    ASSERT_EQ(found.size(), 1) << fault.named;
    EXPECT_TRUE(found.front().starts_with(fault.named)) << found.front();
    EXPECT_NE(as_json(figures).find(fault.named), std::string::npos);
  }
}

}  // namespace
}  // namespace lockd::bench
