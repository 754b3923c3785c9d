// Tests of the name that lockctl gives its connection.
#include "client/lockctl/holder_name.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace lockd::lockctl {

TEST(LockctlHolderName, says_who_where_and_which) {
  const std::string name = default_holder_name();
  EXPECT_TRUE(name.ends_with(":" + std::to_string(::getpid()))) << name;
  EXPECT_GT(name.find('@'), 0U);
  EXPECT_LT(name.find('@'), name.find(':'));
  EXPECT_EQ(as_name(name), name);
}

TEST(LockctlHolderName, is_one_word_whatever_users_are_called) {
  EXPECT_EQ(as_name("worker-1.example.org"), "worker-1.example.org");
  EXPECT_EQ(as_name("DOMAIN\\some body\n"), "DOMAIN_some_body_");
  EXPECT_EQ(as_name("\xff"), "_");
}

}  // namespace lockd::lockctl
