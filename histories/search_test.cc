// The search against brute force, on many small random histories.
#include "histories/search.h"

#include <cstdio>
#include <sstream>

#include "gtest/gtest.h"
#include "histories/brute_force.h"
#include "histories/checker.h"
#include "histories/random_history.h"

namespace lockd::histories {
namespace {

constexpr int histories = 100'000;  // drawn for each kind of lock
constexpr std::size_t states_max = 100'000;

class Search : public ::testing::TestWithParam<LockKind> {};

// The search knows of a wait's time as much as a session's order tells: more than `loose`, less than `exact`. Where no
// wait times out, the three are the same.
TEST_P(Search, agrees_with_brute_force) {
  RandomHistories generator(1, GetParam());
  int legal = 0;
  int between = 0;
  for (int i = 0; i < histories; ++i) {
    const History history = generator.draw();
    const Verdict verdict = check(history, states_max).verdict();
    const bool exactly = is_legal_by_brute_force(history, WaitTime::exact);
    const bool loosely = is_legal_by_brute_force(history, WaitTime::loose);
    std::ostringstream text;
    write_history(text, history);
    ASSERT_NE(verdict, Verdict::undecided);
    ASSERT_TRUE(!exactly || verdict == Verdict::ok) << text.str();
    ASSERT_TRUE(loosely || verdict == Verdict::illegal) << text.str();
    between += exactly == loosely ? 0 : 1;
    legal += exactly && history.operations.size() > 3 ? 1 : 0;
  }
  std::printf("%d of %d are legal and have 4 operations or more; of %d the judgement is free\n", legal, histories,
              between);
  EXPECT_GT(legal, histories / 20);
  EXPECT_LT(legal, histories * 19 / 20);
  EXPECT_LT(between, histories / 100);
}

INSTANTIATE_TEST_SUITE_P(, Search, ::testing::Values(LockKind::exclusive, LockKind::shared),
                         [](const auto& kind) { return kind.param == LockKind::shared ? "shared" : "exclusive"; });

}  // namespace
}  // namespace lockd::histories
