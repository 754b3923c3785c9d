// Each clause of framing that the parser decides, by small streams.
#include "model/reference_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace lockd::model {
namespace {

constexpr std::size_t line_bytes_max = 8192;

std::vector<Request> parse(std::string_view stream, std::size_t limit = line_bytes_max) {
  return parse_stream(stream, limit);
}

Request command(Verb verb, std::string text = "") { return {LineKind::command, verb, std::move(text)}; }

Request with_numbers(Verb verb, std::uint32_t limit, std::uint32_t milliseconds, std::string key) {
  return {LineKind::command, verb, std::move(key), limit, milliseconds};
}

Request bad(Verb verb) { return {LineKind::bad_arguments, verb, ""}; }

Request unknown(std::string verb) { return {LineKind::unknown_verb, Verb::get, std::move(verb)}; }

const Request too_long{LineKind::too_long, Verb::get, ""};
const Request browser{LineKind::browser, Verb::get, ""};

using Requests = std::vector<Request>;

TEST(ReferenceParser, F1_a_request_ends_with_its_LF) {
  EXPECT_EQ(parse(""), Requests{});
  EXPECT_EQ(parse("g a"), Requests{});
  EXPECT_EQ(parse("g a\r"), Requests{});
  EXPECT_EQ(parse("g a\n"), Requests{command(Verb::get, "a")});
  EXPECT_EQ(parse("g a\nr a\ng b"), (Requests{command(Verb::get, "a"), command(Verb::release, "a")}));
}

TEST(ReferenceParser, F1_a_CR_is_no_end_of_line) {
  EXPECT_EQ(parse("g a\rr b\n"), Requests{command(Verb::get, "a r b")});
  EXPECT_EQ(parse("g a\r\n"), Requests{command(Verb::get, "a")});
  EXPECT_EQ(parse("g a\r\r\n"), Requests{command(Verb::get, "a")});
}

TEST(ReferenceParser, F2_each_blank_separates_verb_and_key) {
  for (const char blank : {' ', '\t', '\r', '\v', '\f'}) {
    EXPECT_EQ(parse(std::string{blank, 'g', blank, 'a', blank, '\n'}), Requests{command(Verb::get, "a")});
  }
  EXPECT_EQ(parse(std::string("g\0a\n", 4)), Requests{unknown(std::string("g\0a", 3))});
  EXPECT_EQ(parse("g\xA0"
                  "a\n"),
            Requests{unknown("g\xA0"
                             "a")})
      << "no-break space is no blank";
  EXPECT_EQ(parse("g\x1F"
                  "a\n"),
            Requests{unknown("g\x1F"
                             "a")});
}

TEST(ReferenceParser, F2_verbs_are_compared_whole_and_by_case) {
  for (const std::string verb : {"G",   "gg", "SG",   "sgx", "s",    "Me",  "whom",   "dumps", "Ping", "pin",
                                 "gww", "GW", "sgwl", "iww", "siww", "rat", "Cancel", "lists", "stat", "tt"}) {
    EXPECT_EQ(parse(verb + " x\n"), Requests{unknown(verb)});
  }
}

TEST(ReferenceParser, F2_F3_each_verb_with_its_argument) {
  const std::vector<std::pair<std::string, Verb>> verbs{
      {"g", Verb::get},
      {"r", Verb::release},
      {"i", Verb::inspect},
      {"sg", Verb::get_shared},
      {"sr", Verb::release_shared},
      {"si", Verb::inspect_shared},
      {"d", Verb::list_locks},
      {"sd", Verb::list_shared},
      {"dump", Verb::dump},
      {"iam", Verb::name_me},
      {"who", Verb::who},
      {"iw", Verb::inspect_line},
      {"siw", Verb::inspect_shared_line},
      {"t", Verb::token},
      {"st", Verb::token_shared},
      {"list", Verb::list},
  };
  for (const auto& [spelling, verb] : verbs) {
    EXPECT_EQ(parse(spelling + " a b\n"), Requests{command(verb, "a b")});
    EXPECT_EQ(parse(spelling + "\n"), Requests{command(verb)});
  }
}

TEST(ReferenceParser, F3_runs_of_blanks_inside_a_key_are_folded) {
  EXPECT_EQ(parse("  g \t two \v\f\r words  \n"), Requests{command(Verb::get, "two words")});
}

TEST(ReferenceParser, F3_a_key_is_bytes) {
  const std::string key{"\0\xFF\x80\x7F\\x", 6};
  EXPECT_EQ(parse("sg " + key + "\n"), Requests{command(Verb::get_shared, key)});
}

TEST(ReferenceParser, F3_the_empty_key) {
  EXPECT_EQ(parse("g\ng \ng\t\r\n"), (Requests{command(Verb::get), command(Verb::get), command(Verb::get)}));
}

TEST(ReferenceParser, F4_a_blank_line_is_nothing) {
  EXPECT_EQ(parse("\n\r\n \t\v\f\r \r\n\n"), Requests{});
  EXPECT_EQ(parse("\ng\n\n"), Requests{command(Verb::get)});
}

TEST(ReferenceParser, F6_the_limit_is_the_last_length_that_passes) {
  EXPECT_EQ(parse("g ab\n", 4), Requests{command(Verb::get, "ab")});
  EXPECT_EQ(parse("g abc\n", 4), Requests{too_long});
  const std::string key(8190, 'k');
  EXPECT_EQ(parse("g " + key + "\n"), Requests{command(Verb::get, key)});
  EXPECT_EQ(parse("g " + key + "k\n"), Requests{too_long});
}

TEST(ReferenceParser, F6_blanks_count_and_one_CR_does_not) {
  EXPECT_EQ(parse("g ab\r\n", 4), Requests{command(Verb::get, "ab")});
  EXPECT_EQ(parse("g ab\r\r\n", 4), Requests{too_long});
  EXPECT_EQ(parse("g    \n", 4), Requests{too_long});
  EXPECT_EQ(parse("     \n", 4), Requests{too_long}) << "too long comes before blank";
  EXPECT_EQ(parse("    \n", 4), Requests{});
}

TEST(ReferenceParser, F6_nothing_of_a_long_line_is_executed) {
  EXPECT_EQ(parse("g abc g x\ng d\n", 4), (Requests{too_long, command(Verb::get, "d")}));
  EXPECT_EQ(parse("POST /\n", 4), Requests{too_long});
  EXPECT_EQ(parse("g abc", 4), Requests{}) << "no LF, no answer";
}

TEST(ReferenceParser, F8_an_unknown_verb_is_kept_whole) {
  const std::string verb(200, 'z');
  EXPECT_EQ(parse(verb + " arg\n"), Requests{unknown(verb)});
}

TEST(ReferenceParser, F9_words_after_an_extended_verb_without_arguments_are_bad) {
  const std::vector<std::pair<std::string, Verb>> verbs{
      {"ping", Verb::ping},      {"version", Verb::version}, {"help", Verb::help},       {"quit", Verb::quit},
      {"ra", Verb::release_all}, {"cancel", Verb::cancel},   {"stats", Verb::statistics}};
  for (const auto& [spelling, verb] : verbs) {
    EXPECT_EQ(parse(spelling + "\n"), Requests{command(verb)});
    EXPECT_EQ(parse(spelling + " \t\r\n"), Requests{command(verb)});
    EXPECT_EQ(parse(spelling + " x\n"), (Requests{{LineKind::bad_arguments, verb, ""}}));
  }
}

TEST(ReferenceParser, F9_W1_C1_C2_the_numbers_and_then_the_key) {
  EXPECT_EQ(parse("gw 5 a b\n"), Requests{with_numbers(Verb::get_wait, 0, 5, "a b")});
  EXPECT_EQ(parse("sgl 7 a\n"), Requests{with_numbers(Verb::get_limited, 7, 0, "a")});
  EXPECT_EQ(parse("sgw 7 5 a\n"), Requests{with_numbers(Verb::get_limited_wait, 7, 5, "a")});
  EXPECT_EQ(parse("\tsgw  7\v5 \r a\t b \r\n"), Requests{with_numbers(Verb::get_limited_wait, 7, 5, "a b")});
  EXPECT_EQ(parse("gw 5 6\n"), Requests{with_numbers(Verb::get_wait, 0, 5, "6")}) << "a key like any other";
  EXPECT_EQ(parse("gw 5 -x\n"), Requests{with_numbers(Verb::get_wait, 0, 5, "-x")});
}

TEST(ReferenceParser, F3_the_key_behind_the_numbers_may_be_empty) {
  EXPECT_EQ(parse("gw 5\n"), Requests{with_numbers(Verb::get_wait, 0, 5, "")});
  EXPECT_EQ(parse("gw 5 \r\n"), Requests{with_numbers(Verb::get_wait, 0, 5, "")});
  EXPECT_EQ(parse("sgl 1\n"), Requests{with_numbers(Verb::get_limited, 1, 0, "")});
  EXPECT_EQ(parse("sgw 1 0\n"), Requests{with_numbers(Verb::get_limited_wait, 1, 0, "")});
}

TEST(ReferenceParser, F9_numbers_have_their_range) {
  EXPECT_EQ(parse("gw 0 k\n"), Requests{with_numbers(Verb::get_wait, 0, 0, "k")});
  EXPECT_EQ(parse("gw 2147483647 k\n"), Requests{with_numbers(Verb::get_wait, 0, 2147483647, "k")});
  EXPECT_EQ(parse("sgl 1 k\n"), Requests{with_numbers(Verb::get_limited, 1, 0, "k")});
  EXPECT_EQ(parse("sgl 2147483647 k\n"), Requests{with_numbers(Verb::get_limited, 2147483647, 0, "k")});
  for (const std::string beyond : {"2147483648", "4294967296", "4294967301", "18446744073709551616",
                                   "18446744073709551621", "99999999999999999999999999"}) {
    EXPECT_EQ(parse("gw " + beyond + " k\n"), Requests{bad(Verb::get_wait)}) << beyond;
    EXPECT_EQ(parse("sgl " + beyond + " k\n"), Requests{bad(Verb::get_limited)}) << beyond;
    EXPECT_EQ(parse("sgw " + beyond + " 5 k\n"), Requests{bad(Verb::get_limited_wait)}) << beyond;
    EXPECT_EQ(parse("sgw 5 " + beyond + " k\n"), Requests{bad(Verb::get_limited_wait)}) << beyond;
  }
  EXPECT_EQ(parse("sgl 0 k\n"), Requests{bad(Verb::get_limited)});
  EXPECT_EQ(parse("sgl 000 k\n"), Requests{bad(Verb::get_limited)});
  EXPECT_EQ(parse("sgw 0 5 k\n"), Requests{bad(Verb::get_limited_wait)});
}

TEST(ReferenceParser, F9_leading_zeros_are_allowed) {
  EXPECT_EQ(parse("gw 007 k\n"), Requests{with_numbers(Verb::get_wait, 0, 7, "k")});
  EXPECT_EQ(parse("gw 000 k\n"), Requests{with_numbers(Verb::get_wait, 0, 0, "k")});
  const std::string zeros(100, '0');
  EXPECT_EQ(parse("sgl " + zeros + "2147483647 k\n"), Requests{with_numbers(Verb::get_limited, 2147483647, 0, "k")});
}

TEST(ReferenceParser, F9_missing_and_malformed_numbers_are_bad) {
  for (const std::string word : {"", "k", "-1", "+1", "1.0", "0x1", "1k", "k1", "1,", "1_000", "\xD9\xA1", "1e3"}) {
    EXPECT_EQ(parse("gw " + word + "\n"), Requests{bad(Verb::get_wait)}) << word;
    EXPECT_EQ(parse("sgl " + word + "\n"), Requests{bad(Verb::get_limited)}) << word;
    EXPECT_EQ(parse("sgw " + word + " 5\n"), Requests{bad(Verb::get_limited_wait)}) << word;
    EXPECT_EQ(parse("sgw 5 " + word + "\n"), Requests{bad(Verb::get_limited_wait)}) << word;
  }
  EXPECT_EQ(parse(std::string("gw 1\0 k\n", 8)), Requests{bad(Verb::get_wait)}) << "NUL is no blank";
  EXPECT_EQ(parse("gw k 5\n"), Requests{bad(Verb::get_wait)});
}

TEST(ReferenceParser, F9_words_after_a_classic_verb_without_arguments_are_ignored) {
  EXPECT_EQ(parse("q x y\nme z\n"), (Requests{command(Verb::counters), command(Verb::me)}));
}

TEST(ReferenceParser, F11_browsers) {
  for (const std::string verb : {"GET", "HEAD", "POST", "PUT", "OPTIONS", "Host:"}) {
    EXPECT_EQ(parse(verb + " / HTTP/1.1\r\n"), Requests{browser});
    EXPECT_EQ(parse(" " + verb + "\n"), Requests{browser});
  }
  EXPECT_EQ(parse("get /\nHost:x\nHost : x\n"), (Requests{unknown("get"), unknown("Host:x"), unknown("Host")}));
}

TEST(ReferenceParser, F11_and_quit_do_not_stop_the_parser) {
  EXPECT_EQ(parse("GET /\nquit\ng\n"), (Requests{browser, command(Verb::quit), command(Verb::get)}));
}

}  // namespace
}  // namespace lockd::model
