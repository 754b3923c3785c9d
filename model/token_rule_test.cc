// T1 from outside: the tokens that may show, and each way of being wrong.
#include "model/token_rule.h"

#include <gtest/gtest.h>

namespace lockd::model {
namespace {

const Lock k{LockKind::exclusive, "k"};
const Lock l{LockKind::exclusive, "l"};
const Lock shared_k{LockKind::shared, "k"};
constexpr std::uint64_t largest = 9007199254740991;  // 2^53 - 1

class TokenRuleTest : public testing::Test {
 protected:
  bool is_right(const Lock& lock, std::uint64_t grant, std::uint64_t token) {
    return rule_.see({lock, grant, token}) == std::nullopt;
  }

  TokenRule rule_;
};

TEST_F(TokenRuleTest, T1_tokens_grow_with_the_grants) {
  EXPECT_TRUE(is_right(k, 1, 100));
  EXPECT_TRUE(is_right(k, 2, 101));
  EXPECT_TRUE(is_right(k, 5, 1000));
  EXPECT_FALSE(is_right(k, 6, 999));
  EXPECT_TRUE(is_right(k, 6, 1001)) << "what was wrong is not remembered";
}

TEST_F(TokenRuleTest, T1_whatever_the_order_in_which_they_show) {
  EXPECT_TRUE(is_right(k, 10, 1000));
  EXPECT_TRUE(is_right(k, 2, 200));
  EXPECT_TRUE(is_right(k, 6, 600));
  EXPECT_FALSE(is_right(k, 8, 1001)) << "larger than a later one";
  EXPECT_FALSE(is_right(k, 8, 599)) << "smaller than an earlier one";
  EXPECT_FALSE(is_right(k, 1, 201));
  EXPECT_FALSE(is_right(k, 11, 999));
  EXPECT_TRUE(is_right(k, 8, 601));
}

TEST_F(TokenRuleTest, T1_one_grant_has_one_token) {
  EXPECT_TRUE(is_right(k, 1, 7));
  EXPECT_TRUE(is_right(k, 1, 7)) << "seen again";
  EXPECT_FALSE(is_right(k, 1, 8));
  EXPECT_FALSE(is_right(k, 1, 6));
}

TEST_F(TokenRuleTest, T1_no_token_is_given_twice_on_one_server) {
  EXPECT_TRUE(is_right(k, 1, 7));
  EXPECT_FALSE(is_right(k, 2, 7));
  EXPECT_FALSE(is_right(l, 2, 7));
  EXPECT_FALSE(is_right(shared_k, 2, 7));
}

TEST_F(TokenRuleTest, T1_different_keys_and_kinds_need_no_common_order) {
  EXPECT_TRUE(is_right(k, 1, 300));
  EXPECT_TRUE(is_right(l, 2, 200));
  EXPECT_TRUE(is_right(shared_k, 3, 100));
  EXPECT_FALSE(is_right(shared_k, 4, 99));
}

TEST_F(TokenRuleTest, T1_from_1_to_2_to_the_53_less_1) {
  EXPECT_FALSE(is_right(k, 1, 0));
  EXPECT_TRUE(is_right(k, 1, 1));
  EXPECT_FALSE(is_right(k, 2, largest + 1));
  EXPECT_TRUE(is_right(k, 2, largest));
}

TEST_F(TokenRuleTest, T1_of_several_the_first_that_is_broken_is_told) {
  EXPECT_EQ(rule_.see({{k, 1, 5}, {k, 2, 6}}), std::nullopt);
  const auto broken = rule_.see({{k, 3, 7}, {k, 4, 7}, {k, 5, 0}});
  ASSERT_TRUE(broken.has_value());
  EXPECT_EQ(*broken, "T1: token 7 of k was given before");
  EXPECT_EQ(rule_.see(std::vector<ShownToken>{}), std::nullopt);
}

TEST_F(TokenRuleTest, a_copy_goes_its_own_way) {
  TokenRule copy = rule_;
  EXPECT_TRUE(is_right(k, 1, 5));
  EXPECT_EQ(copy.see({k, 1, 6}), std::nullopt);
}

}  // namespace
}  // namespace lockd::model
