// A crash must leave what makes it again.
#include "proptests/last_words.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "engine/check.h"
#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

int say(const char* what) {
  std::fputs(what, stderr);
  return 3;
}

TEST(LastWords, a_failed_check_is_followed_by_them) {
  const LastWords older([] { return say("older"); });
  const auto fail = [] {
    const LastWords words([] { return say("younger"); });
    LOCKD_CHECK(1 + 1 == 3, "sums are right");
  };
  EXPECT_EXIT(fail(), testing::ExitedWithCode(3), "sums are right.*\nyounger$");
}

TEST(LastWords, they_last_as_long_as_they_live) {
  const LastWords older([] { return say("older"); });
  const auto fail = [] {
    {
      const LastWords words([] { return say("younger"); });
    }
    std::abort();
  };
  EXPECT_EXIT(fail(), testing::ExitedWithCode(3), "^older$");
}

TEST(LastWords, without_them_a_crash_stays_a_crash) {
  const auto fail = [] {
    {
      const LastWords words([] { return say("younger"); });
    }
    std::abort();
  };
  EXPECT_EXIT(fail(), testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace lockd::proptests
