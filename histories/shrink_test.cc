// From a long illegal history to a short one.
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "histories/brute_force.h"
#include "histories/checker.h"
#include "histories/random_history.h"

namespace lockd::histories {
namespace {

History history_of(const std::string& text) {
  std::istringstream in(text);
  return read_history(in);
}

std::string text_of(const History& history) {
  std::ostringstream out;
  write_history(out, history);
  return out.str();
}

// Ten legal rounds of ten sessions that take a lock in turn, and others that look on.
std::string legal_rounds(int& moment) {
  std::string text;
  const auto add = [&](int session, const std::string& rest) {
    text +=
        std::to_string(session) + " " + std::to_string(moment) + " " + std::to_string(moment + 5) + " " + rest + "\n";
    moment += 10;
  };
  for (int round = 0; round < 10; ++round) {
    for (int session = 1; session <= 10; ++session) {
      add(session, "g a = 1 Lock Get Success: a");
      add(20, "i a = 1 Lock Is Locked: a");
      add(21, "g a = 0 Lock Get Failure: a");
      add(session, "ra = 1 Locks Released");
      add(20, "i a = 0 Lock Not Locked: a");
    }
  }
  return text;
}

TEST(Shrink, leaves_what_shows_the_fault) {
  int moment = 0;
  std::string text = legal_rounds(moment);
  text += "3 " + std::to_string(moment) + " " + std::to_string(moment + 1) + " g a = 1 Lock Get Success: a\n";
  text += "4 " + std::to_string(moment + 2) + " " + std::to_string(moment + 3) + " g a = 1 Lock Get Success: a\n";
  moment += 10;
  text += "3 " + std::to_string(moment) + " " + std::to_string(moment + 1) + " r a = 1 Lock Release Success: a\n";
  const History history = history_of(text);
  const Report report = check(history);
  ASSERT_EQ(report.bad.size(), 1U);
  EXPECT_EQ(text_of(shrink(history, report.bad[0])),
            "3 5000 5001 g a = 1 Lock Get Success: a\n"
            "4 5002 5003 g a = 1 Lock Get Success: a\n");
}

// Whatever illegal history it is given.
TEST(Shrink, ends_in_an_illegal_history_that_can_be_written_and_read) {
  for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
    RandomHistories random(2, kind);
    for (int i = 0; i < 5'000; ++i) {
      const History history = random.draw();
      for (const BadLock& bad : check(history).bad) {
        const History small = history_of(text_of(shrink(history, bad)));
        ASSERT_FALSE(is_legal_by_brute_force(small, WaitTime::exact)) << text_of(history) << "\n" << text_of(small);
      }
    }
  }
}

}  // namespace
}  // namespace lockd::histories
