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
  expected.add(std::string(bytes));
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

const Lock x_k{LockKind::exclusive, "k"};
const Lock s_k{LockKind::shared, "k"};

TEST(ExpectedOutput, T2_any_number_that_may_be_a_token) {
  ExpectedOutput expected = exact("1 ok\n");
  expected.add_token(x_k, 7, " Lock Token: k\n");
  expected.add("1 pong\n");
  const std::string right = "1 ok\n1234 Lock Token: k\n1 pong\n";
  EXPECT_TRUE(accepts(expected, right));
  const auto tokens = expected.tokens(right);
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(tokens[0].lock, x_k);
  EXPECT_EQ(tokens[0].grant, 7U);
  EXPECT_EQ(tokens[0].token, 1234U);
}

TEST(ExpectedOutput, T2_canary_no_number_or_another_text) {
  ExpectedOutput expected;
  expected.add_token(x_k, 7, " Lock Token: k\n");
  for (const char* wrong :
       {"", " Lock Token: k\n", "x Lock Token: k\n", "-1 Lock Token: k\n", "01 Lock Token: k\n", "1 Lock Token: l\n",
        "1 Shared Lock Token: k\n", "1 Lock Token: k", "1.0 Lock Token: k\n"}) {
    EXPECT_TRUE(rejects(expected, wrong));
  }
  EXPECT_EQ(*expected.mismatch("12 Lock T"), R"(at byte 9: expected "oken: k\n", actual "", after "12 Lock T")");
}

TEST(ExpectedOutput, T1_a_token_that_is_far_too_large_stays_so) {
  ExpectedOutput expected;
  expected.add_token(x_k, 1, "\n");
  for (const std::string token : {"18446744073709551617", "99999999999999999999999", "9999999999999999999"}) {
    EXPECT_GE(expected.tokens(token + "\n").at(0).token, 9999999999999999999U);
  }
}

// Key `k`: A1 holds it, `a b` waits; shared, A2 and A3 hold it. The empty key is A1's.
ExpectedOutput list() {
  ExpectedOutput expected;
  expected.add_list({{{x_k, false, 1, "A1"}, {x_k, true, 0, "a\\x20b"}},
                     {{s_k, false, 2, "A2"}, {s_k, false, 3, "A3"}},
                     {{{LockKind::exclusive, ""}, false, 4, "A1"}}});
  return expected;
}

const std::string of_x_k = "x held 12 501 A1 k\nx waiting 0 0 a\\x20b k\n";
const std::string of_s_k = "s held 1 502 A2 k\ns held 99999 503 A3 k\n";
const std::string of_empty = "x held 3 504 A1 \n";

TEST(ExpectedOutput, E2_keys_in_any_order_and_any_age) {
  EXPECT_TRUE(accepts(list(), of_x_k + of_s_k + of_empty + "END\n"));
  EXPECT_TRUE(accepts(list(), of_empty + of_s_k + of_x_k + "END\n"));
  ExpectedOutput empty;
  empty.add_list({});
  EXPECT_TRUE(accepts(empty, "END\n"));
  EXPECT_TRUE(rejects(empty, ""));
  EXPECT_TRUE(rejects(empty, of_empty + "END\n"));
}

TEST(ExpectedOutput, T1_E2_the_tokens_of_holders) {
  const auto tokens = list().tokens(of_s_k + of_empty + of_x_k + "END\n");
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(tokens[1].lock, s_k);
  EXPECT_EQ(tokens[1].grant, 3U);
  EXPECT_EQ(tokens[1].token, 503U);
  EXPECT_EQ(tokens[3].grant, 1U);
}

TEST(ExpectedOutput, E2_canary_omitted_repeated_added_or_in_wrong_order) {
  EXPECT_TRUE(rejects(list(), of_x_k + of_s_k + "END\n"));
  EXPECT_TRUE(rejects(list(), of_x_k + of_s_k + of_empty));
  EXPECT_TRUE(rejects(list(), of_s_k + of_empty + "x held 12 501 A1 k\nEND\n")) << "its waiter is missing";
  EXPECT_TRUE(rejects(list(), of_x_k + of_s_k + of_empty + "END"));
  EXPECT_TRUE(rejects(list(), of_x_k + of_x_k + of_s_k + of_empty + "END\n"));
  EXPECT_TRUE(rejects(list(), of_x_k + of_s_k + of_empty + "x held 1 9 A1 other\nEND\n"));
  EXPECT_TRUE(rejects(list(), "x held 12 501 A1 k\n" + of_s_k + of_empty + "END\n"));
  EXPECT_TRUE(rejects(list(), "x held 12 501 A1 k\n" + of_s_k + of_empty + "x waiting 0 0 a\\x20b k\nEND\n"));
  EXPECT_TRUE(rejects(list(), "x waiting 0 0 a\\x20b k\nx held 12 501 A1 k\n" + of_s_k + of_empty + "END\n"));
  EXPECT_TRUE(rejects(list(), of_x_k + "s held 1 503 A3 k\ns held 1 502 A2 k\n" + of_empty + "END\n"));
}

TEST(ExpectedOutput, E2_canary_each_field) {
  ExpectedOutput one;
  one.add_list({{{x_k, false, 1, "A1"}}});
  EXPECT_TRUE(accepts(one, "x held 12 501 A1 k\nEND\n"));
  for (const char* wrong : {"s held 12 501 A1 k", "X held 12 501 A1 k", "x waiting 12 501 A1 k", "x Held 12 501 A1 k",
                            "x held  501 A1 k", "x held -1 501 A1 k", "x held 012 501 A1 k", "x held 12 0 A1 k",
                            "x held 12 t A1 k", "x held 12 501 A2 k", "x held 12 501 A1 l", "x held 12 501 A1 k ",
                            "x held 12 501 A1", "x held 12 501 A1  k", "x held 12 501 A1 k\r"}) {
    EXPECT_TRUE(rejects(one, std::string(wrong) + "\nEND\n"));
  }
  ExpectedOutput waiter;
  waiter.add_list({{{x_k, true, 0, "A1"}}});
  EXPECT_TRUE(accepts(waiter, "x waiting 12 0 A1 k\nEND\n"));
  EXPECT_TRUE(rejects(waiter, "x waiting 12 501 A1 k\nEND\n"));
  EXPECT_TRUE(rejects(waiter, "x held 12 0 A1 k\nEND\n"));
}

TEST(ExpectedOutput, E3_numbers_that_are_known_and_that_are_not) {
  ExpectedOutput expected;
  expected.add_counters({{"a", 5}, {"b_ms", std::nullopt}});
  EXPECT_TRUE(accepts(expected, "a: 5\nb_ms: 0\nEND\n"));
  EXPECT_TRUE(accepts(expected, "a: 5\nb_ms: 123\nEND\n"));
  for (const char* wrong : {"a: 6\nb_ms: 0\nEND\n", "a: 55\nb_ms: 0\nEND\n", "a: 5\nb_ms: \nEND\n",
                            "a: 5\nb_ms: x\nEND\n", "b_ms: 0\na: 5\nEND\n", "a: 5\nEND\n", "a: 5\nb_ms: 0\n",
                            "a: 5\nb_ms: 0\nc: 1\nEND\n", "a: 5\nb_ms: 007\nEND\n", "a:5\nb_ms: 0\nEND\n"}) {
    EXPECT_TRUE(rejects(expected, wrong)) << wrong;
  }
  EXPECT_EQ(*expected.mismatch("a: 5\nb_ms: 1x\n"),
            R"(at byte 12: expected "\n", actual "x\n", after "a: 5\nb_ms: 1")");
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
