// Random sequences of events: the engine does what the specification says, and keeps nothing when all have ended.
//
// RC_PARAMS in the environment sets the seed ("seed=7"); RapidCheck prints it, and on failure the shrunk sequence as
// lines of a scenario.
#include <rapidcheck.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "proptests/memory_at_rest.h"
#include "proptests/random_run.h"
#include "proptests/situations.h"
#include "proptests/table.h"

namespace lockd::proptests {
namespace {

// V7. A slab keeps its list of chunks.
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
  }
  for (const std::string_view name : tally.too_rare()) ADD_FAILURE() << "came up too rarely: " << name;
}

// A table that keeps a copy of each key that was asked for.
struct KeepsKeys : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    kept_.emplace_back(get.key);
    return EngineTable::get(session, get, now);
  }

 private:
  std::vector<std::string> kept_;
};

// One session takes a thousand keys of 100 bytes, and ends.
std::int64_t kept_after_a_crowd_of_keys(TableMaker maker) {
  AnyTable table = maker({.seed = lockstep_seed});
  engine::SessionLocks session(SessionId{1}, 0);
  engine::Wakeups wakeups;
  for (int i = 1000; i < 2000; ++i) table->get(session, {.key = std::to_string(i) + std::string(96, 'k')}, 0);
  table->end_some(session, all_locks, 0, wakeups);
  return kept_beyond_a_new_one(std::move(table), 1);
}

TEST(MemoryAtRest, S2_a_table_that_keeps_what_it_had_is_found) {
  EXPECT_LE(kept_after_a_crowd_of_keys(make_table<EngineTable>), kept_bytes_max);
  EXPECT_GT(kept_after_a_crowd_of_keys(make_table<KeepsKeys>), kept_bytes_max);
}

// ---- how often situations come up ----

constexpr int sequences_per_seed = 100;

// The counts of one seed. RapidCheck reads only its environment, but for here.
SituationTally tally_of(std::uint64_t seed) {
  SituationTally tally;
  const auto property = [&] { tally.add(run_random_sequence(make_table<EngineTable>).seen()); };
  rc::detail::TestParams parameters;
  parameters.seed = seed;
  parameters.maxSuccess = sequences_per_seed;
  if (!rc::detail::checkTestable(property, rc::detail::TestMetadata{}, parameters).is<rc::detail::SuccessResult>()) {
    throw std::runtime_error("seed " + std::to_string(seed) + " fails");
  }
  return tally;
}

// What situation_table has: the mean share; and the deviation of a seed's count beside the one that floors assume.
void measure_shares(std::uint64_t seed_count) {
  std::array<double, situation_count> sums{};
  std::array<double, situation_count> squares{};
  for (std::uint64_t seed = 1; seed <= seed_count; ++seed) {
    if (seed % 100 == 0) std::fprintf(stderr, "%lu of %lu seeds\n", seed, seed_count);
    const SituationTally tally = tally_of(seed);
    for (std::size_t i = 0; i < situation_count; ++i) {
      const auto count = static_cast<double>(tally.count(situation_table.at(i).situation));
      sums.at(i) += count;
      squares.at(i) += count * count;
    }
  }
  const auto n = static_cast<double>(seed_count);
  std::printf("%lu seeds of %d sequences; situation, share, deviation of a seed's count, the same if binomial:\n",
              seed_count, sequences_per_seed);
  for (std::size_t i = 0; i < situation_count; ++i) {
    const double mean = sums.at(i) / n;
    const double share = mean / sequences_per_seed;
    std::printf("%-36s %.4f %6.2f %6.2f\n", std::string(situation_table.at(i).name).c_str(), share,
                std::sqrt(squares.at(i) / n - mean * mean), std::sqrt(sequences_per_seed * share * (1 - share)));
  }
}

}  // namespace
}  // namespace lockd::proptests

// conformance_test --measure N: not a test, but how often situations come up under the seeds 1 to N.
int main(int argument_count, char** arguments) {
  if (argument_count == 3 && std::string_view(arguments[1]) == "--measure") {
    lockd::proptests::measure_shares(std::strtoull(arguments[2], nullptr, 10));
    return 0;
  }
  lockd::proptests::set_sequence_count(LOCKD_SEQUENCES);
  testing::InitGoogleTest(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
