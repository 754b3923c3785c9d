// What stands in the place of an open number, and what does not; names of tokens, each rule of theirs broken once.
#include "proptests/scenario_pattern.h"

#include <gtest/gtest.h>

namespace lockd::proptests {
namespace {

using Tokens = std::vector<NamedToken>;

std::optional<Tokens> matched(std::string_view pattern, std::string_view line) {
  return ReplyPattern(pattern).match(line);
}

TEST(ReplyPattern, all_else_stands_for_itself) {
  EXPECT_EQ(matched("1 pong", "1 pong"), Tokens{});
  EXPECT_EQ(matched("", ""), Tokens{});
  for (const char* other : {"", "1 pon", "1 pongs", "1 Pong", " 1 pong"}) {
    EXPECT_EQ(matched("1 pong", other), std::nullopt) << other;
  }
  EXPECT_EQ(matched("{} {token} {numbers} {token x", "{} {token} {numbers} {token x"), Tokens{});
}

TEST(ReplyPattern, E2_numbers) {
  EXPECT_EQ(matched("a: {number}", "a: 0"), Tokens{});
  EXPECT_EQ(matched("a: {number}", "a: 18446744073709551615"), Tokens{});
  EXPECT_EQ(matched("{number}{number}", "12"), std::nullopt) << "the first takes all the digits";
  for (const char* wrong :
       {"a: ", "a: x", "a: -1", "a: +1", "a: 01", "a: 00", "a: 1 ", "a:  1", "a: 1x", "a: 18446744073709551616"}) {
    EXPECT_EQ(matched("a: {number}", wrong), std::nullopt) << wrong;
  }
}

TEST(ReplyPattern, T2_tokens_are_told_by_name) {
  EXPECT_EQ(matched("{token a} Lock Token: k", "17 Lock Token: k"), (Tokens{{"a", 17}}));
  EXPECT_EQ(matched("x held {number} {token a} {b} {token c}", "x held 1 2 {b} 3"), (Tokens{{"a", 2}, {"c", 3}}));
  EXPECT_EQ(matched("{token a} Lock Token: k", " Lock Token: k"), std::nullopt);
  EXPECT_EQ(matched("{token a} Lock Token: k", "17 Lock Token: l"), std::nullopt);
}

TEST(ReplyPattern, is_filled_with_numbers) {
  const auto token_of = [](const std::string& name) { return std::uint64_t{name.size()}; };
  EXPECT_EQ(ReplyPattern("x held {number} {token abc} {a} k").filled(token_of, 7), "x held 7 3 {a} k");
  EXPECT_EQ(ReplyPattern("1 pong").filled(token_of, 7), "1 pong");
}

TEST(NamedTokens, T1_accepts_what_is_right) {
  NamedTokens tokens;
  EXPECT_EQ(tokens.see({{"a", 1}, {"b", 7}}), std::nullopt);
  EXPECT_EQ(tokens.see({{"c", (std::uint64_t{1} << 53) - 1}, {"a", 1}}), std::nullopt);
  EXPECT_EQ(tokens.not_rising({"a", "b", "c"}), std::nullopt);
}

TEST(NamedTokens, T1_rejects_what_is_wrong) {
  NamedTokens tokens;
  EXPECT_EQ(tokens.see({{"a", 5}}), std::nullopt);
  EXPECT_EQ(tokens.see({{"a", 6}}), "T1: token a is 6, and was 5");
  EXPECT_EQ(tokens.see({{"b", 5}}), "T1: token b is 5, and so is token a");
  EXPECT_EQ(tokens.see({{"b", 0}}), "T1: token b is 0, out of range");
  EXPECT_EQ(tokens.see({{"b", std::uint64_t{1} << 53}}), "T1: token b is 9007199254740992, out of range");
  EXPECT_EQ(tokens.see({{"b", 4}, {"c", 4}}), "T1: token c is 4, and so is token b");
  EXPECT_EQ(tokens.see({{"b", 4}}), std::nullopt);
  EXPECT_EQ(tokens.not_rising({"a", "b"}), "T1: token b is not larger than the one before it");
  EXPECT_EQ(tokens.not_rising({"b", "b"}), "T1: token b is not larger than the one before it");
  EXPECT_EQ(tokens.not_rising({"b", "c"}), "token c was not shown");
}

}  // namespace
}  // namespace lockd::proptests
