// Canaries: each faulty table must be found out, by the exhaustive searches and by the random runs, and the sound one
// must not.
#include <rapidcheck.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proptests/explorer.h"
#include "proptests/faulty_tables.h"
#include "proptests/model_table.h"
#include "proptests/random_run.h"

namespace lockd::proptests {
namespace {

const std::vector<SessionId> three_sessions = {SessionId{1}, SessionId{2}, SessionId{3}};

std::string name_of(const ::testing::TestParamInfo<FaultyTable>& info) { return info.param.name; }

class ExplorerCanary : public ::testing::TestWithParam<FaultyTable> {
 protected:
  static Explorer explorer() {
    return {{.sessions = three_sessions, .locks_max = 3}, {"a", "b"}, Verbs::classic, GetParam().make};
  }
};

TEST_P(ExplorerCanary, is_found_by_sequences) {
  const auto report = explorer().search_sequences({.depth = 4});
  ASSERT_TRUE(report.difference.has_value());
  EXPECT_TRUE(report.difference->starts_with("flags --max-locks 3\nconnect 1\nconnect 2\nconnect 3\n"))
      << *report.difference;
}

TEST_P(ExplorerCanary, is_found_by_states) { EXPECT_TRUE(explorer().search_states().difference.has_value()); }

INSTANTIATE_TEST_SUITE_P(, ExplorerCanary, ::testing::ValuesIn(tables_with_classic_faults()), name_of);

// With waiting. A closure finds the shortest way to a fault, if its state is among the first thousands; bounds as they
// are needed by some.
class ExplorerWaitingCanary : public ::testing::TestWithParam<FaultyTable> {
 protected:
  static Explorer with_bounds(std::uint64_t bound) {
    const Lockstep::Config config{.sessions = three_sessions, .waiters_max = bound, .grants_max = 3 * bound};
    return {config, {"a", "b"}, Verbs::all, GetParam().make};
  }
};

TEST_P(ExplorerWaitingCanary, is_found_by_states) {
  auto difference = with_bounds(1).search_states({.up_to_renaming = true, .states_max = 2000}).difference;
  if (!difference) difference = with_bounds(0).search_states({.up_to_renaming = true, .states_max = 2000}).difference;
  ASSERT_TRUE(difference.has_value());
  std::printf("%s\n", difference->c_str());  // the shortest way, to be read by whoever doubts its reason
}

TEST_P(ExplorerWaitingCanary, is_found_by_sequences) {
  const Extent extent{.depth = 4, .up_to_renaming = true, .merges = true};
  auto difference = with_bounds(1).search_sequences(extent).difference;
  if (!difference) difference = with_bounds(0).search_sequences(extent).difference;
  EXPECT_TRUE(difference.has_value());
}

INSTANTIATE_TEST_SUITE_P(, ExplorerWaitingCanary, ::testing::ValuesIn(tables_with_waiting_faults()), name_of);

// The table into which faults are planted is itself without one.
TEST(ExplorerCanaries, W_C_T_the_model_behind_the_engine_s_interface_is_sound) {
  Explorer explorer({.sessions = three_sessions}, {"a", "b"}, Verbs::all, make_table<ModelTable>);
  EXPECT_EQ(explorer.search_sequences({.depth = 3, .up_to_renaming = true}).difference, std::nullopt);
}

// RapidCheck reports each on stderr as a failure, which is what is wanted.
class ConformanceCanary : public ::testing::TestWithParam<FaultyTable> {};

TEST_P(ConformanceCanary, is_found) {
  EXPECT_FALSE(rc::check("a faulty table", [] { run_random_sequence(GetParam().make); }));
}

INSTANTIATE_TEST_SUITE_P(waiting, ConformanceCanary, ::testing::ValuesIn(tables_with_waiting_faults()), name_of);
INSTANTIATE_TEST_SUITE_P(crowds, ConformanceCanary, ::testing::ValuesIn(tables_with_faults_in_crowds()), name_of);

}  // namespace
}  // namespace lockd::proptests

int main(int argument_count, char** arguments) {
  lockd::proptests::set_sequence_count(LOCKD_SEQUENCES);
  testing::InitGoogleTest(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
