// Runs of some seconds: the daemon's history is legal, and that of a server with a fault is not.
#include "histories/run.h"

#include <iostream>
#include <string>

#include "gtest/gtest.h"
#include "histories/checker.h"
#include "histories/report.h"

namespace lockd::histories {
namespace {

struct Outcome {
  RunResult result;
  Report report;
};

// As long as it takes, for a slow machine must not make a run empty.
Outcome run_with(ProxyFault fault, std::size_t operations_min) {
  const RunOptions options{
      .server = LOCKD_BINARY, .uri = {}, .seconds = 1, .seed = 7, .operations_min = operations_min, .fault = fault};
  RunResult result = run(options, [](double, std::size_t) {});
  Report report = check(result.history);
  std::cout << as_text(result) << as_text(result.history, report);
  for (const std::string& what : result.faults) std::cout << what << "\n";
  return {std::move(result), std::move(report)};
}

void expect_good(const Outcome& outcome) {
  EXPECT_EQ(outcome.report.verdict(), Verdict::ok);
  EXPECT_TRUE(outcome.result.faults.empty());
}

TEST(Histories, of_the_daemon_are_legal) {
  const Outcome outcome = run_with(ProxyFault::none, 20'000);
  expect_good(outcome);
  EXPECT_GE(outcome.result.history.operations.size(), 20'000U);
  for (const char* const trouble : {"rst", "close", "fin", "quit", "cut line", "slow reader"})
    EXPECT_GT(outcome.result.nemesis.contains(trouble) ? outcome.result.nemesis.at(trouble) : 0, 0U) << trouble;
}

TEST(Histories, through_an_honest_proxy_are_legal) { expect_good(run_with(ProxyFault::honest, 4'000)); }

// Each must be found by the checker, in the history: not by what the run itself sees.
class HistoriesCanary : public ::testing::TestWithParam<ProxyFault> {};

TEST_P(HistoriesCanary, is_found_in_the_history) {
  EXPECT_EQ(run_with(GetParam(), 10'000).report.verdict(), Verdict::illegal);
}

std::string name_of_fault(const ::testing::TestParamInfo<ProxyFault>& fault) {
  return proxy_fault_names()[static_cast<std::size_t>(fault.param)];
}

INSTANTIATE_TEST_SUITE_P(, HistoriesCanary,
                         ::testing::Values(ProxyFault::double_grant, ProxyFault::lost_release, ProxyFault::stale_read,
                                           ProxyFault::repeated_token, ProxyFault::wrong_count),
                         name_of_fault);

// Most replies that change places are none to the other request: that the client sees at once.
TEST(Histories, with_reordered_replies_are_found_out) {
  const Outcome outcome = run_with(ProxyFault::reordered_replies, 10'000);
  EXPECT_TRUE(!outcome.result.faults.empty() || outcome.report.verdict() == Verdict::illegal);
}

}  // namespace
}  // namespace lockd::histories
