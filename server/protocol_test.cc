// The parser and the table of verbs. Expectations are written out from the protocol.
#include "server/protocol.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::server {
namespace {

using namespace std::string_literals;

constexpr std::size_t default_line_bytes_max = 8192;

Request command(Verb verb, std::string text = "") { return {LineKind::command, verb, std::move(text)}; }
Request of_kind(LineKind kind, std::string text = "") { return {kind, Verb::get, std::move(text)}; }
Request too_long() { return of_kind(LineKind::too_long); }
Request unknown(std::string verb) { return of_kind(LineKind::unknown_verb, std::move(verb)); }
Request bad_arguments(Verb verb) { return {LineKind::bad_arguments, verb, ""}; }

// A parser and what its caller keeps for it: the bytes that it did not consume.
class Reader {
 public:
  explicit Reader(std::size_t line_bytes_max = default_line_bytes_max)
      : line_bytes_max_(line_bytes_max), parser_(line_bytes_max) {}

  void feed(std::string_view bytes) {
    kept_.append(bytes);
    while (true) {
      const auto [consumed, line] = parser_.next(kept_);
      ASSERT_LE(consumed, kept_.size());
      if (line) requests_.push_back({line->kind, line->verb, std::string(line->text)});
      kept_.erase(0, consumed);
      if (!line) break;
    }
    ASSERT_LE(kept_.size(), line_bytes_max_ + 1);
  }

  const std::vector<Request>& requests() const { return requests_; }
  const std::string& kept() const { return kept_; }

 private:
  std::size_t line_bytes_max_;
  Parser parser_;
  std::string kept_;
  std::vector<Request> requests_;
};

std::vector<Request> parse(std::string_view stream, std::size_t line_bytes_max = default_line_bytes_max) {
  Reader reader(line_bytes_max);
  reader.feed(stream);
  return reader.requests();
}

using Requests = std::vector<Request>;

// ---- F1 to F5: lines, verbs, keys ----

TEST(Parser, F1_a_request_exists_only_once_its_LF_has_come) {
  Reader reader;
  reader.feed("g ke");
  EXPECT_EQ(reader.requests(), Requests{});
  EXPECT_EQ(reader.kept(), "g ke");
  reader.feed("y\r");
  EXPECT_EQ(reader.requests(), Requests{});
  reader.feed("\nr");
  EXPECT_EQ(reader.requests(), Requests{command(Verb::get, "key")});
  EXPECT_EQ(reader.kept(), "r");
}

TEST(Parser, F1_a_CR_elsewhere_than_before_the_LF_ends_no_line) {
  EXPECT_EQ(parse("g a\rr a\n"), Requests{command(Verb::get, "a r a")});
  EXPECT_EQ(parse("g a\r"), Requests{});
}

TEST(Parser, F2_blanks_at_both_ends_are_ignored) {
  for (const std::string_view blank : {" ", "\t", "\r", "\v", "\f", " \t\r\v\f \r"}) {
    const std::string line = std::string(blank) + "g a" + std::string(blank) + "\n";
    EXPECT_EQ(parse(line), Requests{command(Verb::get, "a")}) << testing::PrintToString(line);
  }
}

TEST(Parser, F2_the_verb_runs_to_the_first_blank) {
  for (const std::string_view blank : {" ", "\t", "\r", "\v", "\f", "  ", "\t \v"}) {
    const std::string line = "sg" + std::string(blank) + "a\n";
    EXPECT_EQ(parse(line), Requests{command(Verb::get_shared, "a")}) << testing::PrintToString(line);
  }
}

TEST(Parser, F2_no_other_byte_is_a_blank) {
  EXPECT_EQ(parse("g\0a\n"s), Requests{unknown("g\0a"s)});
  EXPECT_EQ(parse("\x85g\n"), Requests{unknown("\x85g")});    // NEL in ISO 8859
  EXPECT_EQ(parse("g\xa0 k\n"), Requests{unknown("g\xa0")});  // a no-break space there
  EXPECT_EQ(parse("g\x1f\n"), Requests{unknown("g\x1f")});
}

TEST(Parser, F2_verbs_are_case_sensitive_and_compared_whole) {
  for (const char* verb : {"G", "Sg", "sG", "gg", "sgg", "PING", "pin", "pingg", "Dump", "iamx", "qq", "w", "hos"}) {
    EXPECT_EQ(parse(verb + " a\n"s), Requests{unknown(verb)});
  }
}

TEST(Parser, F3_runs_of_blanks_inside_a_key_become_one_space) {
  for (const std::string_view key :
       {"a b", "a  b", "a\tb", "a\rb", "a\vb", "a\fb", "a \tb", "a\t b", " \ta\r\v\f b\t "}) {
    EXPECT_EQ(parse("g " + std::string(key) + "\n"), Requests{command(Verb::get, "a b")})
        << testing::PrintToString(key);
  }
  EXPECT_EQ(parse("g a  b\tc   d e\n"), Requests{command(Verb::get, "a b c d e")});
}

TEST(Parser, F3_apart_from_that_a_key_is_bytes) {
  std::string key;
  for (int byte = 0; byte < 256; ++byte) {
    if (std::string_view(" \t\r\v\f\n").find(static_cast<char>(byte)) == std::string_view::npos) {
      key += static_cast<char>(byte);
    }
  }
  EXPECT_EQ(key.size(), 250U);
  EXPECT_EQ(parse("g " + key + "\n"), Requests{command(Verb::get, key)});
  EXPECT_EQ(parse("g \0\n"s), Requests{command(Verb::get, "\0"s)});
  EXPECT_EQ(parse("g a\0 \0b\n"s), Requests{command(Verb::get, "a\0 \0b"s)});
}

TEST(Parser, F3_the_empty_key) {
  for (const char* line : {"g\n", "g \n", "g\r\n", " g \t \r\n"}) {
    EXPECT_EQ(parse(line), Requests{command(Verb::get)}) << testing::PrintToString(line);
  }
}

TEST(Parser, F3_each_verb_that_takes_text_gets_it_folded) {
  const std::vector<std::pair<std::string, Verb>> verbs = {
      {"g", Verb::get},         {"r", Verb::release},         {"i", Verb::inspect},
      {"sg", Verb::get_shared}, {"sr", Verb::release_shared}, {"si", Verb::inspect_shared},
      {"d", Verb::list_locks},  {"sd", Verb::list_shared},    {"dump", Verb::dump},
      {"iam", Verb::name_me},   {"who", Verb::who},
  };
  for (const auto& [spelling, verb] : verbs) {
    EXPECT_EQ(parse(spelling + " shared\t\tlock\n"), Requests{command(verb, "shared lock")}) << spelling;
    EXPECT_EQ(parse(spelling + "\n"), Requests{command(verb)}) << spelling;
  }
}

TEST(Parser, F4_a_blank_line_is_no_request) {
  Reader reader;
  reader.feed("\n\r\n \n\t\v\f\r \n");
  EXPECT_EQ(reader.requests(), Requests{});
  EXPECT_EQ(reader.kept(), "");
}

TEST(Parser, F5_each_call_consumes_one_request_and_the_blank_lines_before_it) {
  Parser parser(default_line_bytes_max);
  const std::string_view input = "\n \ng a\nr a\n\n\ni";
  const auto first = parser.next(input);
  EXPECT_EQ(first.consumed, std::string_view("\n \ng a\n").size());
  ASSERT_TRUE(first.line);
  EXPECT_EQ(first.line->verb, Verb::get);
  const auto second = parser.next(input.substr(first.consumed));
  EXPECT_EQ(second.consumed, std::string_view("r a\n").size());
  ASSERT_TRUE(second.line);
  EXPECT_EQ(second.line->verb, Verb::release);
  const auto third = parser.next(input.substr(first.consumed + second.consumed));
  EXPECT_EQ(third.consumed, std::string_view("\n\n").size());
  EXPECT_FALSE(third.line);
}

// ---- chunks ----

// A stream with all that the parser must remember between calls, under a limit of 5 bytes a line.
constexpr std::string_view mixed_stream =
    "g a\r\n\n \r\nsg  b\nabcdef\nabcde\r\ng \t\r\n123456789 g x\rg y\r\nabcdefghijklm\n\r\r\r\r\r\r\nr a\ng b  \nq";

const Requests mixed_requests = {
    command(Verb::get, "a"),
    command(Verb::get_shared, "b"),
    too_long(),
    unknown("abcde"),
    command(Verb::get),
    too_long(),
    too_long(),
    command(Verb::release, "a"),
    command(Verb::get, "b"),
};

TEST(Parser, F5_every_cut_into_three_chunks_gives_the_same_requests) {
  for (std::size_t i = 0; i <= mixed_stream.size(); ++i) {
    for (std::size_t j = i; j <= mixed_stream.size(); ++j) {
      Reader reader(5);
      reader.feed(mixed_stream.substr(0, i));
      reader.feed(mixed_stream.substr(i, j - i));
      reader.feed(mixed_stream.substr(j));
      ASSERT_EQ(reader.requests(), mixed_requests) << "cut at " << i << " and " << j;
      ASSERT_EQ(reader.kept(), "q") << "cut at " << i << " and " << j;
    }
  }
}

TEST(Parser, F5_byte_after_byte_gives_the_same_requests) {
  Reader reader(5);
  for (const char byte : mixed_stream) reader.feed({&byte, 1});
  EXPECT_EQ(reader.requests(), mixed_requests);
}

TEST(Parser, F5_what_was_searched_is_forgotten_with_the_line) {
  Reader reader;
  reader.feed("a long beginning of a line");
  reader.feed(" and its end\ng");
  reader.feed("\n\n\n");
  reader.feed("g b\n");
  EXPECT_EQ(reader.requests(), (Requests{unknown("a"), command(Verb::get), command(Verb::get, "b")}));
}

// ---- F6: the limit ----

class ParserLimit : public testing::TestWithParam<std::size_t> {
 protected:
  static std::size_t limit() { return GetParam(); }
  static std::string verb_of(std::size_t bytes) { return std::string().append(bytes, 'x'); }
};

INSTANTIATE_TEST_SUITE_P(limits, ParserLimit, testing::Values(1, 2, 3, 8192, 1048576));

TEST_P(ParserLimit, F6_a_line_of_the_limit_is_executed_and_one_byte_more_is_not) {
  EXPECT_EQ(parse(verb_of(limit()) + "\n", limit()), Requests{unknown(verb_of(limit()))});
  EXPECT_EQ(parse(verb_of(limit() + 1) + "\n", limit()), Requests{too_long()});
}

TEST_P(ParserLimit, F6_the_cr_of_a_cr_lf_is_not_counted) {
  EXPECT_EQ(parse(verb_of(limit()) + "\r\n", limit()), Requests{unknown(verb_of(limit()))});
  EXPECT_EQ(parse(verb_of(limit() + 1) + "\r\n", limit()), Requests{too_long()});
  EXPECT_EQ(parse(verb_of(limit()) + "\r\r\n", limit()), Requests{too_long()}) << "only one CR is the terminator's";
}

TEST_P(ParserLimit, F6_the_same_when_the_terminator_comes_alone) {
  for (const std::string_view terminator : {"\n", "\r\n"}) {
    for (const std::size_t bytes : {limit(), limit() + 1}) {
      Reader reader(limit());
      reader.feed(verb_of(bytes));
      for (const char byte : terminator) reader.feed({&byte, 1});
      EXPECT_EQ(reader.requests(), Requests{bytes == limit() ? unknown(verb_of(bytes)) : too_long()});
    }
  }
}

TEST_P(ParserLimit, F6_a_CR_at_the_limit_that_was_no_terminators) {
  Reader reader(limit());
  reader.feed(verb_of(limit()) + "\r");
  EXPECT_EQ(reader.kept().size(), limit() + 1);
  reader.feed("x");
  EXPECT_EQ(reader.kept(), "");
  reader.feed("\n");
  EXPECT_EQ(reader.requests(), Requests{too_long()});
}

TEST_P(ParserLimit, F6_blanks_are_counted) {
  EXPECT_EQ(parse(std::string(limit() + 1, ' ') + "\n", limit()), Requests{too_long()});
  EXPECT_EQ(parse(std::string(limit(), ' ') + "\n", limit()), Requests{});
  EXPECT_EQ(parse("q" + std::string(limit(), ' ') + "\n", limit()), Requests{too_long()});
  EXPECT_EQ(parse("q" + std::string(limit() - 1, ' ') + "\n", limit()), Requests{command(Verb::counters)});
}

TEST(Parser, F6_nothing_of_a_long_line_is_executed_and_the_next_one_is) {
  Reader reader(10);
  reader.feed("g a and more than ten bytes");
  reader.feed(" g b\rg c");
  EXPECT_EQ(reader.requests(), Requests{}) << "it is answered at its LF";
  reader.feed(" g d\r\ng e\n");
  EXPECT_EQ(reader.requests(), (Requests{too_long(), command(Verb::get, "e")}));
}

TEST(Parser, F6_a_long_line_without_an_LF_is_no_request) { EXPECT_EQ(parse(std::string(100, 'g'), 10), Requests{}); }

TEST(Parser, F6_24_MiB_without_an_LF_are_not_kept) {
  Reader reader;
  const std::string chunk(64 * 1024, 'g');
  for (int i = 0; i < 24 * 16; ++i) {
    reader.feed(chunk);  // which checks what is kept
    ASSERT_EQ(reader.kept(), "");
  }
  reader.feed("\ng a\n");
  EXPECT_EQ(reader.requests(), (Requests{too_long(), command(Verb::get, "a")}));
}

// ---- F8, F9, F11: what is no command ----

TEST(Parser, F8_of_an_unknown_verb_the_whole_verb_is_reported_and_nothing_else) {
  EXPECT_EQ(parse("frobnicate a b\n"), Requests{unknown("frobnicate")});
  EXPECT_EQ(parse(std::string(8192, 'y') + "\n"), Requests{unknown(std::string(8192, 'y'))});
}

TEST(Parser, F9_words_after_an_extended_verb_that_takes_none_are_bad) {
  EXPECT_EQ(parse("ping x\nversion 1\nhelp g\nquit now\n"),
            (Requests{bad_arguments(Verb::ping), bad_arguments(Verb::version), bad_arguments(Verb::help),
                      bad_arguments(Verb::quit)}));
  EXPECT_EQ(parse("ping\nversion \nhelp\r\n quit\t\r\n"),
            (Requests{command(Verb::ping), command(Verb::version), command(Verb::help), command(Verb::quit)}));
}

TEST(Parser, F9_words_after_a_classic_verb_that_takes_none_are_ignored) {
  EXPECT_EQ(parse("q x  y\nme and you\n"), (Requests{command(Verb::counters), command(Verb::me)}));
}

TEST(Parser, F11_a_browsers_words) {
  for (const char* verb : {"GET", "HEAD", "POST", "PUT", "OPTIONS", "Host:"}) {
    EXPECT_EQ(parse(verb + "\n"s).at(0).kind, LineKind::browser) << verb;
    EXPECT_EQ(parse(verb + " / HTTP/1.1\r\n"s).at(0).kind, LineKind::browser) << verb;
    EXPECT_EQ(parse(" "s + verb + "\t/\n").at(0).kind, LineKind::browser) << verb;
  }
  for (const char* verb : {"get", "GETS", "Get", "Host", "host:", "Host:a", "DELETE", "OPTION", "POST/"}) {
    EXPECT_EQ(parse(verb + " / HTTP/1.1\r\n"s), Requests{unknown(verb)});
  }
}

TEST(ParserDeathTest, the_input_begins_with_what_was_not_consumed) {
  Parser parser(default_line_bytes_max);
  parser.next("g something");
  EXPECT_DEATH(parser.next("g"), "the input begins with what was not consumed");
}

// ---- the table ----

TEST(VerbTable, F2_F9_has_a_row_for_each_verb_in_its_order) {
  struct Expected {
    Verb verb;
    const char* name;
    const char* usage;
    Takes takes;
    Numbers numbers;
  };
  const std::vector<Expected> expected = {
      {Verb::get, "g", "g KEY", Takes::text, Numbers::none},
      {Verb::get_wait, "gw", "gw MILLISECONDS KEY", Takes::text, Numbers::milliseconds},
      {Verb::release, "r", "r KEY", Takes::text, Numbers::none},
      {Verb::inspect, "i", "i KEY", Takes::text, Numbers::none},
      {Verb::inspect_line, "iw", "iw KEY", Takes::text, Numbers::none},
      {Verb::token, "t", "t KEY", Takes::text, Numbers::none},
      {Verb::get_shared, "sg", "sg KEY", Takes::text, Numbers::none},
      {Verb::get_limited, "sgl", "sgl LIMIT KEY", Takes::text, Numbers::limit},
      {Verb::get_limited_wait, "sgw", "sgw LIMIT MILLISECONDS KEY", Takes::text, Numbers::limit_and_milliseconds},
      {Verb::release_shared, "sr", "sr KEY", Takes::text, Numbers::none},
      {Verb::inspect_shared, "si", "si KEY", Takes::text, Numbers::none},
      {Verb::inspect_shared_line, "siw", "siw KEY", Takes::text, Numbers::none},
      {Verb::token_shared, "st", "st KEY", Takes::text, Numbers::none},
      {Verb::release_all, "ra", "ra", Takes::nothing, Numbers::none},
      {Verb::cancel, "cancel", "cancel", Takes::nothing, Numbers::none},
      {Verb::list_locks, "d", "d [KEY]", Takes::text, Numbers::none},
      {Verb::list_shared, "sd", "sd [KEY]", Takes::text, Numbers::none},
      {Verb::dump, "dump", "dump [shared]", Takes::text, Numbers::none},
      {Verb::list, "list", "list [PREFIX]", Takes::text, Numbers::none},
      {Verb::counters, "q", "q", Takes::words_ignored, Numbers::none},
      {Verb::statistics, "stats", "stats", Takes::nothing, Numbers::none},
      {Verb::me, "me", "me", Takes::words_ignored, Numbers::none},
      {Verb::name_me, "iam", "iam [NAME]", Takes::text, Numbers::none},
      {Verb::who, "who", "who [NAME]", Takes::text, Numbers::none},
      {Verb::ping, "ping", "ping", Takes::nothing, Numbers::none},
      {Verb::version, "version", "version", Takes::nothing, Numbers::none},
      {Verb::help, "help", "help", Takes::nothing, Numbers::none},
      {Verb::quit, "quit", "quit", Takes::nothing, Numbers::none},
  };
  ASSERT_EQ(verb_table.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(verb_table[i].verb, static_cast<Verb>(i));
    EXPECT_EQ(verb_table[i].verb, expected[i].verb);
    EXPECT_EQ(verb_table[i].name, expected[i].name);
    EXPECT_EQ(verb_table[i].usage, expected[i].usage);
    EXPECT_EQ(verb_table[i].takes, expected[i].takes);
    EXPECT_EQ(verb_table[i].numbers, expected[i].numbers);
    EXPECT_FALSE(verb_table[i].summary.empty());
  }
}

// ---- F3, F9: numbers ----

TEST(ParserNumbers, F9_W1_C1_C2_are_decimal_digits_in_their_range) {
  struct Case {
    const char* line;
    bool good;
    std::uint32_t limit;
    std::uint32_t milliseconds;
    const char* key;
  };
  const std::vector<Case> cases = {
      {"gw 5 k", true, 0, 5, "k"},
      {"gw 0 k", true, 0, 0, "k"},
      {"gw 2147483647 k", true, 0, 2147483647, "k"},
      {"gw 2147483648 k", false, 0, 0, ""},
      {"gw 4294967301 k", false, 0, 0, ""},
      {"gw 18446744073709551621 k", false, 0, 0, ""},
      {"gw 0000000000000000000000000000000000000005 k", true, 0, 5, "k"},
      {"gw 5", true, 0, 5, ""},
      {"gw  5 \t a  b ", true, 0, 5, "a b"},
      {"gw", false, 0, 0, ""},
      {"gw k", false, 0, 0, ""},
      {"gw -5 k", false, 0, 0, ""},
      {"gw +5 k", false, 0, 0, ""},
      {"gw 5k", false, 0, 0, ""},
      {"gw 0x5 k", false, 0, 0, ""},
      {"gw 5.0 k", false, 0, 0, ""},
      {"sgl 1 k", true, 1, 0, "k"},
      {"sgl 0 k", false, 0, 0, ""},
      {"sgl 2147483648 k", false, 0, 0, ""},
      {"sgl", false, 0, 0, ""},
      {"sgw 3 7 k", true, 3, 7, "k"},
      {"sgw 3 0", true, 3, 0, ""},
      {"sgw 3 k", false, 0, 0, ""},
      {"sgw 0 7 k", false, 0, 0, ""},
      {"sgw 3", false, 0, 0, ""},
  };
  for (const auto& [line, good, limit, milliseconds, key] : cases) {
    Parser parser(8192);
    const std::string bytes = std::string(line) + "\n";
    const auto [consumed, parsed] = parser.next(bytes);
    ASSERT_TRUE(parsed.has_value()) << line;
    ASSERT_EQ(parsed->kind, good ? LineKind::command : LineKind::bad_arguments) << line;
    if (!good) continue;
    EXPECT_EQ(parsed->limit, limit) << line;
    EXPECT_EQ(parsed->milliseconds, milliseconds) << line;
    EXPECT_EQ(parsed->text, key) << line;
  }
}

TEST(VerbTable, F2_no_two_verbs_are_spelled_alike) {
  std::set<std::string_view> names;
  for (const VerbRow& row : verb_table) names.insert(row.name);
  EXPECT_EQ(names.size(), verb_table.size());
}

}  // namespace
}  // namespace lockd::server
