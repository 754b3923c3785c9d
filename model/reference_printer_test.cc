// Every text of the protocol, written out once more, and both ways of escaping.
#include "model/reference_printer.h"

#include <gtest/gtest.h>

#include <set>

namespace lockd::model {
namespace {

using namespace std::string_literals;

std::string printed(Outcome outcome, std::uint64_t number = 0, const std::string& text = "k") {
  return print({outcome, number}, {LineKind::command, Verb::get, text}, "1.2.3");
}

std::string printed_unknown(const std::string& verb) {
  return print({Outcome::unknown_command}, {LineKind::unknown_verb, Verb::get, verb}, "1.2.3");
}

TEST(ReferencePrinter, X1_X2_X3_S5_texts) {
  EXPECT_EQ(printed(Outcome::lock_get_success), "1 Lock Get Success: k\n");
  EXPECT_EQ(printed(Outcome::lock_get_failure), "0 Lock Get Failure: k\n");
  EXPECT_EQ(printed(Outcome::lock_release_success), "1 Lock Release Success: k\n");
  EXPECT_EQ(printed(Outcome::lock_release_failure), "0 Lock Release Failure: k\n");
  EXPECT_EQ(printed(Outcome::lock_is_locked), "1 Lock Is Locked: k\n");
  EXPECT_EQ(printed(Outcome::lock_not_locked), "0 Lock Not Locked: k\n");
  EXPECT_EQ(printed(Outcome::too_many_locks), "0 Too Many Locks: k\n");
}

TEST(ReferencePrinter, H1_H2_H3_texts) {
  EXPECT_EQ(printed(Outcome::shared_get_success, 12), "12 Shared Lock Get Success: k\n");
  EXPECT_EQ(printed(Outcome::shared_release_success), "1 Shared Lock Release Success: k\n");
  EXPECT_EQ(printed(Outcome::shared_release_failure), "0 Shared Lock Release Failure: k\n");
  EXPECT_EQ(printed(Outcome::shared_is_locked, 70000), "70000 Shared Lock Is Locked: k\n");
  EXPECT_EQ(printed(Outcome::shared_not_locked), "0 Shared Lock Not Locked: k\n");
}

TEST(ReferencePrinter, W1_W6_W7_W8_W9_texts) {
  EXPECT_EQ(printed(Outcome::lock_get_timeout), "0 Lock Get Timeout: k\n");
  EXPECT_EQ(printed(Outcome::lock_get_deadlock), "0 Lock Get Deadlock: k\n");
  EXPECT_EQ(printed(Outcome::too_many_waiters), "0 Too Many Waiters: k\n");
  EXPECT_EQ(printed(Outcome::lock_waiters, 3), "3 Lock Waiters: k\n");
  EXPECT_EQ(printed(Outcome::shared_waiters, 0), "0 Shared Lock Waiters: k\n");
  EXPECT_EQ(printed(Outcome::lock_get_canceled), "0 Lock Get Canceled: k\n");
  EXPECT_EQ(printed(Outcome::shared_get_canceled), "0 Shared Lock Get Canceled: k\n");
  EXPECT_EQ(printed(Outcome::canceled), "1 Canceled\n");
  EXPECT_EQ(printed(Outcome::nothing_to_cancel), "0 Nothing To Cancel\n");
}

TEST(ReferencePrinter, W2_C1_C2_texts) {
  EXPECT_EQ(printed(Outcome::too_much_input, 65536), "0 Too Much Input: limit 65536 bytes\n");
  EXPECT_EQ(printed(Outcome::shared_get_failure), "0 Shared Lock Get Failure: k\n");
  EXPECT_EQ(printed(Outcome::shared_get_timeout), "0 Shared Lock Get Timeout: k\n");
}

TEST(ReferencePrinter, T1_T2_E1_texts) {
  EXPECT_EQ(printed(Outcome::lock_token, 9007199254740991), "9007199254740991 Lock Token: k\n");
  EXPECT_EQ(printed(Outcome::lock_not_held), "0 Lock Not Held: k\n");
  EXPECT_EQ(printed(Outcome::shared_token, 1), "1 Shared Lock Token: k\n");
  EXPECT_EQ(printed(Outcome::shared_not_held), "0 Shared Lock Not Held: k\n");
  EXPECT_EQ(printed(Outcome::out_of_tokens), "0 Out Of Tokens: k\n");
  EXPECT_EQ(printed(Outcome::locks_released, 12), "12 Locks Released\n");
}

TEST(ReferencePrinter, F7_each_outcome_has_a_text_of_its_own_that_ends_in_LF) {
  std::set<std::string> texts;
  for (int i = 0; i <= static_cast<int>(Outcome::version); ++i) {
    const std::string text = printed(static_cast<Outcome>(i), 3);
    EXPECT_TRUE(text.ends_with("\n")) << i;
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
}

TEST(ReferencePrinter, F7_a_key_is_no_place_for_a_number) {
  EXPECT_EQ(printed(Outcome::lock_get_success, 5, "#"), "1 Lock Get Success: #\n");
  EXPECT_EQ(printed(Outcome::lock_token, 5, "#"), "5 Lock Token: #\n");
}

TEST(ReferencePrinter, F6_L4_R2_E4_texts) {
  EXPECT_EQ(printed(Outcome::line_too_long, 8192), "0 Line Too Long: limit 8192 bytes\n");
  EXPECT_EQ(printed(Outcome::disabled), "0 disabled\n");
  EXPECT_EQ(printed(Outcome::named), "1 ok\n");
  EXPECT_EQ(printed(Outcome::pong), "1 pong\n");
  EXPECT_EQ(printed(Outcome::version), "1 lockd 1.2.3\n");
}

TEST(ReferencePrinter, F7_keys_are_echoed_as_bytes) {
  EXPECT_EQ(printed(Outcome::lock_get_success, 0, ""), "1 Lock Get Success: \n");
  EXPECT_EQ(printed(Outcome::lock_get_success, 0, "a\0\xFF\\"s), "1 Lock Get Success: a\0\xFF\\\n"s);
}

TEST(ReferencePrinter, F8_the_verb_is_cut_and_escaped) {
  EXPECT_EQ(printed_unknown("zap"), "0 Unknown Command: zap\n");
  EXPECT_EQ(printed_unknown("!~\\\"k"), "0 Unknown Command: !~\\\"k\n");
  EXPECT_EQ(printed_unknown("a\0\x01 \x7F\x80\xAB\xFF"s), "0 Unknown Command: a\\x00\\x01\\x20\\x7F\\x80\\xAB\\xFF\n");
  const std::string longest(64, 'v');
  EXPECT_EQ(printed_unknown(longest), "0 Unknown Command: " + longest + "\n");
  EXPECT_EQ(printed_unknown(longest + "w"), "0 Unknown Command: " + longest + "\n");
}

TEST(ReferencePrinter, F8_the_cut_comes_before_the_escapes) {
  std::string escapes;
  for (int i = 0; i < 64; ++i) escapes += "\\xC3";
  EXPECT_EQ(printed_unknown(std::string(70, '\xC3')), "0 Unknown Command: " + escapes + "\n");
}

TEST(ReferencePrinter, F9_the_usage_is_the_verbs_own) {
  const auto bad = [](Verb verb) {
    return print({Outcome::bad_arguments}, {LineKind::bad_arguments, verb, ""}, "1.2.3");
  };
  EXPECT_EQ(bad(Verb::ping), "0 Bad Arguments: ping\n");
  EXPECT_EQ(bad(Verb::version), "0 Bad Arguments: version\n");
  EXPECT_EQ(bad(Verb::help), "0 Bad Arguments: help\n");
  EXPECT_EQ(bad(Verb::quit), "0 Bad Arguments: quit\n");
  EXPECT_EQ(bad(Verb::get_wait), "0 Bad Arguments: gw MILLISECONDS KEY\n");
  EXPECT_EQ(bad(Verb::get_limited), "0 Bad Arguments: sgl LIMIT KEY\n");
  EXPECT_EQ(bad(Verb::get_limited_wait), "0 Bad Arguments: sgw LIMIT MILLISECONDS KEY\n");
  EXPECT_EQ(bad(Verb::release_all), "0 Bad Arguments: ra\n");
  EXPECT_EQ(bad(Verb::cancel), "0 Bad Arguments: cancel\n");
  EXPECT_EQ(bad(Verb::statistics), "0 Bad Arguments: stats\n");
}

TEST(ReferencePrinter, F9_spelling_and_usage) {
  EXPECT_EQ(spelling(Verb::get_limited_wait), "sgw");
  EXPECT_EQ(usage(Verb::inspect_line), "iw KEY");
  EXPECT_EQ(usage(Verb::inspect_shared_line), "siw KEY");
  EXPECT_EQ(usage(Verb::token), "t KEY");
  EXPECT_EQ(usage(Verb::token_shared), "st KEY");
  EXPECT_EQ(usage(Verb::list), "list [PREFIX]");
  EXPECT_EQ(spelling(Verb::get), "g");
  EXPECT_EQ(usage(Verb::get), "g KEY");
  EXPECT_EQ(spelling(Verb::dump), "dump");
  EXPECT_EQ(spelling(Verb::name_me), "iam");
  EXPECT_EQ(usage(Verb::who), "who [NAME]");
  EXPECT_EQ(usage(Verb::quit), "quit");
}

TEST(ReferencePrinter, E2_a_holder_without_blanks) {
  EXPECT_EQ(listed_holder("127.0.0.1:50000"), "127.0.0.1:50000");
  EXPECT_EQ(listed_holder("two words"), "two\\x20words");
  EXPECT_EQ(listed_holder(" \t\r\v\f\\"), "\\x20\\x09\\x0D\\x0B\\x0C\\x5C");
  EXPECT_EQ(listed_holder("a\0\xFF\"\x7F"s), "a\0\xFF\"\x7F"s) << "all else stands as it is";
}

TEST(ReferencePrinter, L2_quotes_backslashes_and_controls) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a/b: c"), R"("a/b: c")");
  EXPECT_EQ(json_string(R"(a"b\c)"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\0\b\x1F\x20\x7F"s), "\"\\u0000\\u0008\\u001f \x7F\"");
}

TEST(ReferencePrinter, L2_well_formed_UTF8_stands_as_it_is) {
  for (const std::string text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
                                 "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "k\xC3\xA9y"}) {
    EXPECT_EQ(json_string(text), '"' + text + '"');
  }
}

TEST(ReferencePrinter, L2_each_byte_of_what_is_ill_formed_is_escaped) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\x80", R"("\u0080")"},
      {"\xC3", R"("\u00c3")"},            // cut short
      {"\xC3(", R"("\u00c3(")"},          // not continued
      {"\xC0\x80", R"("\u00c0\u0080")"},  // longer than need be
      {"\xC1\xBF", R"("\u00c1\u00bf")"},
      {"\xE0\x9F\xBF", R"("\u00e0\u009f\u00bf")"},
      {"\xF0\x8F\xBF\xBF", R"("\u00f0\u008f\u00bf\u00bf")"},
      {"\xED\xA0\x80", R"("\u00ed\u00a0\u0080")"},            // the first surrogate
      {"\xED\xBF\xBF", R"("\u00ed\u00bf\u00bf")"},            // the last
      {"\xF4\x90\x80\x80", R"("\u00f4\u0090\u0080\u0080")"},  // beyond U+10FFFF
      {"\xF8\x88\x80\x80\x80", R"("\u00f8\u0088\u0080\u0080\u0080")"},
      {"\xF9\x88\x80\x80", R"("\u00f9\u0088\u0080\u0080")"},
      {"\xFE\xFF", R"("\u00fe\u00ff")"},
      {"\xE2\x82"
       "a",
       R"("\u00e2\u0082a")"},
      {"\xE2\x82\xC3\xA9", "\"\\u00e2\\u0082\xC3\xA9\""},  // a good one right behind
      {"\xF0\x9F\x98\xC3\xA9", "\"\\u00f0\\u009f\\u0098\xC3\xA9\""},
  };
  for (const auto& [bytes, expected] : cases) EXPECT_EQ(json_string(bytes), expected);
}

}  // namespace
}  // namespace lockd::model
