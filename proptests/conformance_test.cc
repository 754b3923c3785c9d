// Random sequences of events: the engine does what the specification says.
//
// RC_PARAMS in the environment sets the seed ("seed=7"); RapidCheck prints it, and on failure the shrunk sequence as
// lines of a scenario.
#include <rapidcheck.h>

#include <cstdio>
#include <string>

#include "gtest/gtest.h"
#include "proptests/random_run.h"
#include "proptests/situations.h"
#include "proptests/table.h"

namespace lockd::proptests {
namespace {

TEST(Conformance, X1_X2_X3_H1_H2_H3_W1_W4_W5_W6_W9_C1_C2_T1_S2_S5_E1_L1_L3_engine_and_model_agree) {
  SituationTally tally;
  const auto property = [&] { tally.add(run_random_sequence(make_table<EngineTable>).seen()); };
  ASSERT_TRUE(rc::check("engine and model agree", property));
  std::printf("%lu sequences; situation, sequences with it, floor:\n", tally.sequence_count());
  for (const SituationRow& row : situation_table) {
    std::printf("%-36s %7lu %7.0f\n", std::string(row.name).c_str(), tally.count(row.situation), tally.floor(row));
    EXPECT_GE(static_cast<double>(tally.count(row.situation)), tally.floor(row)) << "came up too rarely: " << row.name;
  }
}

}  // namespace
}  // namespace lockd::proptests

int main(int argument_count, char** arguments) {
  lockd::proptests::set_sequence_count(LOCKD_SEQUENCES);
  testing::InitGoogleTest(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
