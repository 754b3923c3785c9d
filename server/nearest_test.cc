// Which word is taken for the one that was meant.
#include "server/nearest.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

TEST(NearestTest, is_the_word_that_is_the_fewest_letters_away) {
  EXPECT_EQ(nearest("lisen", {"http", "listener", "listen"}), "listen");
  EXPECT_EQ(nearest("listen", {"http", "listen"}), "listen");
  EXPECT_EQ(nearest("htpt", {"http", "listen"}), "http");
}

TEST(NearestTest, is_none_where_three_letters_are_wrong_or_there_are_no_words) {
  EXPECT_EQ(nearest("lis", {"http", "listen"}), "");
  EXPECT_EQ(nearest("listen", {}), "");
}

}  // namespace
}  // namespace lockd::server
