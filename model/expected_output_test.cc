// What is accepted, and above all what is not: every way of being wrong has an input here that must be rejected.
#include "model/expected_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>

namespace lockd::model {
namespace {

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

AssertionResult accepts(const ExpectedOutput& expected, std::string_view actual) {
  const auto why = expected.mismatch(actual);
  return why ? AssertionFailure() << *why : AssertionSuccess();
}

AssertionResult rejects(const ExpectedOutput& expected, std::string_view actual) {
  const auto why = expected.mismatch(actual);
  if (!why) return AssertionFailure() << "accepted " << ExpectedOutput::escaped(actual);
  return why->empty() ? AssertionFailure() << "no reason" : AssertionSuccess();
}

ExpectedOutput exact(std::string_view bytes) {
  ExpectedOutput expected;
  expected.add(bytes);
  return expected;
}

// As for `sd`, of two keys that two sessions hold each.
ExpectedOutput listing() {
  ExpectedOutput expected;
  expected.add_any_order({"a: 1\na: 2\n", "b: 2\nb: 1\n"});
  return expected;
}

// As for `dump`.
ExpectedOutput object(std::vector<std::string> members) {
  ExpectedOutput expected;
  expected.add_any_order(std::move(members), "{", ",", "}\n");
  return expected;
}

TEST(ExpectedOutput, F10_nothing_is_expected_at_first) {
  EXPECT_TRUE(ExpectedOutput{}.empty());
  EXPECT_TRUE(exact("").empty());
  EXPECT_TRUE(accepts({}, ""));
  EXPECT_TRUE(rejects({}, "\n"));
}

TEST(ExpectedOutput, F7_exact_bytes) {
  EXPECT_TRUE(accepts(exact("1 pong\n"), "1 pong\n"));
  EXPECT_TRUE(rejects(exact("1 pong\n"), ""));
  EXPECT_TRUE(rejects(exact("1 pong\n"), "1 pong"));
  EXPECT_TRUE(rejects(exact("1 pong\n"), "1 pong\r\n"));
  EXPECT_TRUE(rejects(exact("1 pong\n"), "1 pong\n1"));
  EXPECT_TRUE(rejects(exact("1 pong\n"), "1 ping\n"));
  EXPECT_TRUE(rejects(exact(std::string_view("a\0b", 3)), "a"));
}

TEST(ExpectedOutput, F5_parts_come_in_order) {
  ExpectedOutput expected = exact("1 ok\n");
  expected.append(exact("1 pong\n"));
  EXPECT_TRUE(accepts(expected, "1 ok\n1 pong\n"));
  EXPECT_TRUE(rejects(expected, "1 pong\n1 ok\n"));
  EXPECT_TRUE(rejects(expected, "1 ok\n"));
}

TEST(ExpectedOutput, L5_keys_come_in_any_order) {
  EXPECT_TRUE(accepts(listing(), "a: 1\na: 2\nb: 2\nb: 1\n"));
  EXPECT_TRUE(accepts(listing(), "b: 2\nb: 1\na: 1\na: 2\n"));
}

TEST(ExpectedOutput, L1_canary_holders_of_one_key_in_wrong_order) {
  EXPECT_TRUE(rejects(listing(), "a: 2\na: 1\nb: 2\nb: 1\n"));
  EXPECT_TRUE(rejects(listing(), "a: 1\nb: 2\na: 2\nb: 1\n")) << "keys interleaved";
}

TEST(ExpectedOutput, L5_canary_repeated_omitted_added) {
  EXPECT_TRUE(rejects(listing(), "a: 1\na: 2\na: 1\na: 2\n"));
  EXPECT_TRUE(rejects(listing(), "a: 1\na: 2\n"));
  EXPECT_TRUE(rejects(listing(), ""));
  EXPECT_TRUE(rejects(listing(), "a: 1\na: 2\nb: 2\n"));
  EXPECT_TRUE(rejects(listing(), "a: 1\na: 2\nb: 2\nb: 1\nb: 3\n"));
  EXPECT_TRUE(rejects(listing(), "c: 1\na: 1\na: 2\nb: 2\nb: 1\n"));
  EXPECT_TRUE(rejects(listing(), "a: 1\na: 2\nb: 2\nb: 1\na: 1\na: 2\n"));
}

TEST(ExpectedOutput, L2_pieces_between_opening_and_closing) {
  const auto expected = object({R"("a":"1")", R"("b":"2")"});
  EXPECT_TRUE(accepts(expected, "{\"a\":\"1\",\"b\":\"2\"}\n"));
  EXPECT_TRUE(accepts(expected, "{\"b\":\"2\",\"a\":\"1\"}\n"));
  EXPECT_TRUE(accepts(object({}), "{}\n"));
  EXPECT_TRUE(accepts(object({R"("a":"1")"}), "{\"a\":\"1\"}\n"));
}

TEST(ExpectedOutput, L2_canary_separators_and_braces) {
  const auto expected = object({R"("a":"1")", R"("b":"2")"});
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\"\"b\":\"2\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"b\":\"2\",}\n"));
  EXPECT_TRUE(rejects(expected, "{,\"a\":\"1\",\"b\":\"2\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\", \"b\":\"2\"}\n"));
  EXPECT_TRUE(rejects(expected, "\"a\":\"1\",\"b\":\"2\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"b\":\"2\"\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"b\":\"2\"}"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"b\":\"2\"}}"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"a\":\"1\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\"}\n"));
  EXPECT_TRUE(rejects(object({}), "{ }\n"));
  EXPECT_TRUE(rejects(object({}), "{,}\n"));
}

TEST(ExpectedOutput, L2_keys_that_look_alike_come_as_often_as_they_are) {
  const auto expected = object({R"("a":"1")", R"("a":"1")"});
  EXPECT_TRUE(accepts(expected, "{\"a\":\"1\",\"a\":\"1\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\"}\n"));
  EXPECT_TRUE(rejects(expected, "{\"a\":\"1\",\"a\":\"1\",\"a\":\"1\"}\n"));
}

// Key `a` held by `b: c`, and key `a: b` held by `c` and then `d`: the first piece begins the second.
TEST(ExpectedOutput, L5_a_piece_may_begin_with_another) {
  const std::vector<std::string> pieces{"a: b: c\n", "a: b: c\na: b: d\n", "e: f\n"};
  ExpectedOutput expected;
  expected.add_any_order(pieces);
  std::vector<std::size_t> order{0, 1, 2};
  do {
    EXPECT_TRUE(accepts(expected, pieces[order[0]] + pieces[order[1]] + pieces[order[2]]));
  } while (std::ranges::next_permutation(order).found);
  EXPECT_TRUE(rejects(expected, "a: b: c\na: b: c\ne: f\na: b: d\n"));
  EXPECT_TRUE(rejects(expected, "a: b: c\na: b: c\na: b: c\ne: f\n"));
}

TEST(ExpectedOutput, E4_lines_of_which_the_beginning_is_known) {
  ExpectedOutput expected;
  expected.add_lines({"g KEY", "d [KEY]"});
  expected.add("END\n");
  EXPECT_TRUE(accepts(expected, "g KEY\nd [KEY]\nEND\n"));
  EXPECT_TRUE(accepts(expected, "g KEY  gets a lock\nd [KEY] lists\nEND\n"));
  EXPECT_TRUE(rejects(expected, "g KEYS\nd [KEY]\nEND\n"));
  EXPECT_TRUE(rejects(expected, "d [KEY]\ng KEY\nEND\n"));
  EXPECT_TRUE(rejects(expected, "g KEY\nEND\n"));
  EXPECT_TRUE(rejects(expected, "g KEY\nd [KEY]\nd [KEY]\nEND\n"));
  EXPECT_TRUE(rejects(expected, "g KEY\nd [KEY]\n"));
  EXPECT_TRUE(rejects(expected, "g KEY\nd [KEY]"));
  EXPECT_TRUE(rejects(expected, "g KEY\nd [KEY]\nEND"));
}

TEST(ExpectedOutput, F5_a_listing_between_other_replies) {
  ExpectedOutput expected = exact("1 ok\n");
  expected.append(listing());
  expected.append(object({R"("a":"1")"}));
  expected.add("1 pong\n");
  EXPECT_TRUE(accepts(expected, "1 ok\nb: 2\nb: 1\na: 1\na: 2\n{\"a\":\"1\"}\n1 pong\n"));
  EXPECT_TRUE(rejects(expected, "1 ok\nb: 2\nb: 1\n1 pong\na: 1\na: 2\n{\"a\":\"1\"}\n"));
}

TEST(ExpectedOutput, mismatch_says_where_and_what) {
  ExpectedOutput expected = exact("1 ok\n");
  expected.add("1 pong\n");
  EXPECT_EQ(*expected.mismatch("1 ok\n1 p\x01ng\r\n"),
            R"(at byte 8: expected "ong\n", actual "\x01ng\r\n", after "1 ok\n1 p")");
  EXPECT_EQ(*exact("a\n").mismatch("a\nb\n"), R"(at byte 2: expected nothing more, actual "b\n", after "a\n")");
  EXPECT_EQ(*listing().mismatch("b: 2\nb: 1\nb: 1\n"),
            R"(at byte 10: expected "a: 1\na: 2\n", actual "b: 1\n", after "b: 2\nb: 1\n")");
  EXPECT_EQ(*object({"\"a\":1"}).mismatch("{\"a\":1]\n"), R"(at byte 6: expected "}\n", actual "]\n", after "{"a":1")");
  EXPECT_EQ(*listing().mismatch("x"),
            R"(at byte 0: expected one of 2 pieces, such as "a: 1\na: 2\n", actual "x", after "")");
}

TEST(ExpectedOutput, a_long_listing_is_matched_in_passable_time) {
  std::vector<std::string> pieces;
  for (int i = 0; i < 20000; ++i) pieces.push_back("key" + std::to_string(i) + ": holder\n");
  std::string actual;
  for (const auto& piece : std::views::reverse(pieces)) actual += piece;
  ExpectedOutput expected;
  expected.add_any_order(pieces);
  EXPECT_TRUE(accepts(expected, actual));
}

}  // namespace
}  // namespace lockd::model
