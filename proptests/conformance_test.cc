// Random sequences of events: the engine does what the specification says, and keeps nothing when all have ended.
//
// RC_PARAMS in the environment sets the seed ("seed=7"); RapidCheck prints it, and on failure the shrunk sequence as
// lines of a scenario.
#include <rapidcheck.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "proptests/memory_at_rest.h"
#include "proptests/random_run.h"
#include "proptests/situations.h"
#include "proptests/table.h"

namespace lockd::proptests {
namespace {

// V7. Each of 256 parts of both indices keeps eight entries once it was in use, a slab its list of chunks.
constexpr std::int64_t kept_bytes_max = 24 * 1024;

TEST(Conformance, X1_X2_X3_H1_H2_H3_W1_W4_W5_W6_W9_C1_C2_T1_S2_S5_E1_L1_L3_engine_and_model_agree) {
  SituationTally tally;
  std::uint64_t at_rest_count = 0;
  const auto at_rest = [&](AnyTable table, std::uint32_t shard_count) {
    RC_ASSERT(kept_beyond_a_new_one(std::move(table), shard_count) <= kept_bytes_max);
    ++at_rest_count;
  };
  const auto property = [&] { tally.add(run_random_sequence(make_table<EngineTable>, at_rest).seen()); };
  ASSERT_TRUE(rc::check("engine and model agree", property));
  std::printf("%lu sequences at rest as at the start\n", at_rest_count);
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
