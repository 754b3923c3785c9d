// The folders good/ and bad/: what the checker must accept, and what it must reject.
#include "histories/checker.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::histories {
namespace {

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(LOCKD_HISTORIES_DIR "/" + folder))
    names.push_back(file.path().stem());
  std::ranges::sort(names);
  return names;
}

std::string text_of(const std::string& folder, const std::string& name) {
  std::ifstream in(LOCKD_HISTORIES_DIR "/" + folder + "/" + name + ".txt");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

History history_of(const std::string& text) {
  std::istringstream in(text);
  return read_history(in);
}

std::string name_of_test(const ::testing::TestParamInfo<std::string>& name) { return name.param; }

class Bad : public ::testing::TestWithParam<std::string> {};

TEST_P(Bad, is_rejected) {
  const std::string text = text_of("bad", GetParam());
  EXPECT_TRUE(text.starts_with("# ")) << "a comment says which fault it shows";
  const History history = history_of(text);
  const Report report = check(history);
  EXPECT_EQ(report.verdict(), Verdict::illegal);
  for (const BadLock& bad : report.bad) {
    const History small = shrink(history, bad);
    EXPECT_EQ(check(small).verdict(), Verdict::illegal);
    EXPECT_LE(small.operations.size(), history.operations.size());
  }
}

// Not even where the search is not allowed to search.
TEST_P(Bad, is_not_accepted_undecided) {
  const Report report = check(history_of(text_of("bad", GetParam())), 0);
  EXPECT_NE(report.verdict(), Verdict::ok);
}

INSTANTIATE_TEST_SUITE_P(, Bad, ::testing::ValuesIn(files_of("bad")), name_of_test);

class Good : public ::testing::TestWithParam<std::string> {};

TEST_P(Good, is_accepted) {
  const Report report = check(history_of(text_of("good", GetParam())));
  EXPECT_EQ(report.verdict(), Verdict::ok);
  EXPECT_GT(report.locks, 0U);
}

INSTANTIATE_TEST_SUITE_P(, Good, ::testing::ValuesIn(files_of("good")), name_of_test);

TEST(Folders, have_not_become_empty) {
  EXPECT_GE(files_of("bad").size(), 30U);
  EXPECT_GE(files_of("good").size(), 15U);
}

TEST(Checker, gives_up_rather_than_passing) {
  std::string text = "9 0 0 has a\n";
  for (int session = 1; session < 9; ++session) {
    const std::string line = std::to_string(session) + " 10 5000000 gw 1 a = 0 Lock Get Timeout: a\n";
    text += line;
  }
  text += "9 6000000 6000001 r a = 0 Lock Release Failure: a\n";
  EXPECT_EQ(check(history_of(text)).verdict(), Verdict::illegal);
  text += "10 10 5000000 iw a = 9 Lock Waiters: a\n";  // there are never more than eight
  const Report report = check(history_of(text), 100);
  EXPECT_EQ(report.verdict(), Verdict::undecided);
  EXPECT_EQ(report.count(Verdict::undecided), 1U);
}

}  // namespace
}  // namespace lockd::histories
