// Tests of what is suggested for a mistyped word.
#include "client/lockctl/suggestion.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

TEST(LockctlSuggestion, distance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("list", "list"), 0U);
  EXPECT_EQ(edit_distance("lst", "list"), 1U);
  EXPECT_EQ(edit_distance("lisst", "list"), 1U);
  EXPECT_EQ(edit_distance("lost", "list"), 1U);
  EXPECT_EQ(edit_distance("lsit", "list"), 1U);
  EXPECT_EQ(edit_distance("", "list"), 4U);
  EXPECT_EQ(edit_distance("stats", "list"), 4U);
}

TEST(LockctlSuggestion, nearest) {
  const std::vector<std::string> words = {"run", "get", "inspect", "list", "stats", "top"};
  EXPECT_EQ(nearest("rnu", words), "run");
  EXPECT_EQ(nearest("inspekt", words), "inspect");
  EXPECT_EQ(nearest("status", words), "stats");
  EXPECT_EQ(nearest("ins", words), "inspect");
  EXPECT_EQ(nearest("frobnicate", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("xyz", words), "");
  EXPECT_EQ(nearest("foo", {"who"}), "") << "two of three letters are others";
  EXPECT_EQ(nearest("hwo", {"who"}), "who");
  EXPECT_EQ(nearest("b", {"a"}), "") << "no letter is the same";
  EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

}  // namespace lockd::lockctl
