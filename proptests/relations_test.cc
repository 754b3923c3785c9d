// The relations hold of the engine, and each of them must reject tables that break it.
#include "proptests/relations.h"

#include <rapidcheck.h>

#include <algorithm>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proptests/faulty_tables.h"

namespace lockd::proptests {
namespace {

using Relation = void (*)(TableMaker);

bool holds_of_the_engine(const std::string& name, Relation relation) {
  return rc::check(name, [&] { relation(make_table<EngineTable>); });
}

TEST(Relations, S1_F3_renaming_sessions_and_keys_renames_what_is_said) {
  EXPECT_TRUE(holds_of_the_engine("renaming", renaming_renames));
}

TEST(Relations, X3_H3_W8_T2_looking_changes_nothing) {
  EXPECT_TRUE(holds_of_the_engine("looking", looking_changes_nothing));
}

TEST(Relations, X1_X2_H1_H2_C2_requests_for_different_keys_commute) {
  EXPECT_TRUE(holds_of_the_engine("commuting", different_keys_commute));
}

TEST(Relations, S2_a_disconnect_equals_leaving_the_line_and_releasing_everything) {
  EXPECT_TRUE(holds_of_the_engine("disconnect", disconnect_equals_release_of_everything));
}

TEST(Relations, X1_H1_W4_a_bystander_changes_nothing) {
  EXPECT_TRUE(holds_of_the_engine("bystander", a_bystander_changes_nothing));
}

// RapidCheck reports each on stderr as a failure, which is what is wanted.
struct Canary {
  const char* name;
  Relation relation;
  const char* fault;
};

std::ostream& operator<<(std::ostream& out, const Canary& canary) {
  return out << canary.name << " of " << canary.fault;
}

FaultyTable faulty_table(const std::string& name) {
  for (const auto& tables :
       {tables_with_classic_faults(), tables_with_waiting_faults(), tables_with_faults_across_keys()}) {
    const auto found = std::ranges::find(tables, name, &FaultyTable::name);
    if (found != tables.end()) return *found;
  }
  throw std::invalid_argument("no faulty table: " + name);
}

class RelationCanary : public ::testing::TestWithParam<Canary> {};

TEST_P(RelationCanary, is_found) {
  const FaultyTable table = faulty_table(GetParam().fault);
  EXPECT_FALSE(rc::check("a faulty table", [&] { GetParam().relation(table.make); }));
}

INSTANTIATE_TEST_SUITE_P(
    , RelationCanary,
    ::testing::Values(Canary{"renaming", renaming_renames, "compares_first_bytes"},
                      Canary{"looking", looking_changes_nothing, "reserves_by_a_look"},
                      Canary{"commuting", different_keys_commute, "counts_all_shares"},
                      Canary{"disconnect", disconnect_equals_release_of_everything, "leaves_a_lock"},
                      Canary{"disconnect", disconnect_equals_release_of_everything, "keeps_the_dead_in_line"},
                      Canary{"disconnect", disconnect_equals_release_of_everything,
                             "forgets_who_comes_next_after_a_death"},
                      Canary{"disconnect", disconnect_equals_release_of_everything, "wakes_twice"},
                      Canary{"bystander", a_bystander_changes_nothing, "compares_first_bytes"},
                      Canary{"bystander", a_bystander_changes_nothing, "counts_all_shares"}),
    [](const auto& canary) { return std::string(canary.param.name) + "_" + canary.param.fault; });

}  // namespace
}  // namespace lockd::proptests
