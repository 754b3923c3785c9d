// The printer: each text by hand from the protocol, and the two ways in which bytes are escaped.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/protocol.h"

namespace lockd::server {
namespace {

using namespace std::string_literals;

std::string printed(const Answer& answer, std::string_view text = {}) {
  std::string out;
  print(out, answer, text);
  return out;
}

std::string json(std::string_view bytes) {
  std::string out;
  print_json_string(out, bytes);
  return out;
}

// ---- replies ----

struct Line {
  Answer answer;
  const char* text;
  const char* bytes;
};

const std::vector<Line> lines = {
    {{Outcome::lock_get_success}, "a b", "1 Lock Get Success: a b\n"},
    {{Outcome::lock_get_failure}, "a b", "0 Lock Get Failure: a b\n"},
    {{Outcome::lock_get_timeout}, "a b", "0 Lock Get Timeout: a b\n"},
    {{Outcome::lock_get_deadlock}, "a b", "0 Lock Get Deadlock: a b\n"},
    {{Outcome::lock_get_canceled}, "a b", "0 Lock Get Canceled: a b\n"},
    {{Outcome::lock_release_success}, "a b", "1 Lock Release Success: a b\n"},
    {{Outcome::lock_release_failure}, "a b", "0 Lock Release Failure: a b\n"},
    {{Outcome::lock_is_locked}, "a b", "1 Lock Is Locked: a b\n"},
    {{Outcome::lock_not_locked}, "a b", "0 Lock Not Locked: a b\n"},
    {{Outcome::lock_waiters, 0}, "a b", "0 Lock Waiters: a b\n"},
    {{Outcome::lock_token, 9007199254740991}, "a b", "9007199254740991 Lock Token: a b\n"},
    {{Outcome::lock_not_held}, "a b", "0 Lock Not Held: a b\n"},
    {{Outcome::shared_get_success, 12}, "a b", "12 Shared Lock Get Success: a b\n"},
    {{Outcome::shared_get_failure}, "a b", "0 Shared Lock Get Failure: a b\n"},
    {{Outcome::shared_get_timeout}, "a b", "0 Shared Lock Get Timeout: a b\n"},
    {{Outcome::shared_get_canceled}, "a b", "0 Shared Lock Get Canceled: a b\n"},
    {{Outcome::shared_release_success}, "a b", "1 Shared Lock Release Success: a b\n"},
    {{Outcome::shared_release_failure}, "a b", "0 Shared Lock Release Failure: a b\n"},
    {{Outcome::shared_is_locked, 3}, "a b", "3 Shared Lock Is Locked: a b\n"},
    {{Outcome::shared_not_locked}, "a b", "0 Shared Lock Not Locked: a b\n"},
    {{Outcome::shared_waiters, 15000}, "a b", "15000 Shared Lock Waiters: a b\n"},
    {{Outcome::shared_token, 7}, "a b", "7 Shared Lock Token: a b\n"},
    {{Outcome::shared_not_held}, "a b", "0 Shared Lock Not Held: a b\n"},
    {{Outcome::too_many_locks}, "a b", "0 Too Many Locks: a b\n"},
    {{Outcome::too_many_waiters}, "a b", "0 Too Many Waiters: a b\n"},
    {{Outcome::out_of_tokens}, "a b", "0 Out Of Tokens: a b\n"},
    {{Outcome::locks_released, 3}, "", "3 Locks Released\n"},
    {{Outcome::canceled}, "", "1 Canceled\n"},
    {{Outcome::nothing_to_cancel}, "", "0 Nothing To Cancel\n"},
    {{Outcome::too_much_input, 65536}, "", "0 Too Much Input: limit 65536 bytes\n"},
    {{Outcome::unknown_command}, "frob", "0 Unknown Command: frob\n"},
    {{Outcome::bad_arguments}, "ping", "0 Bad Arguments: ping\n"},
    {{Outcome::line_too_long, 8192}, "", "0 Line Too Long: limit 8192 bytes\n"},
    {{Outcome::disabled}, "", "0 disabled\n"},
    {{Outcome::named}, "", "1 ok\n"},
    {{Outcome::pong}, "", "1 pong\n"},
    {{Outcome::version}, "1.22.333", "1 lockd 1.22.333\n"},
};

TEST(Printer, X1_X2_X3_H1_H2_H3_W1_W2_W6_W7_W8_W9_C1_C2_T1_T2_E1_S5_F6_F8_F9_L4_R2_E4_the_text_of_each_outcome) {
  std::set<Outcome> seen;
  for (const auto& [answer, text, bytes] : lines) {
    EXPECT_EQ(printed(answer, text), bytes);
    seen.insert(answer.outcome);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(Outcome::version) + 1) << "an outcome is not in this table";
}

TEST(Printer, F7_a_reply_is_appended_and_ends_in_LF_alone) {
  std::string out = "before\n";
  for (const auto& [answer, text, bytes] : lines) {
    const std::string expected = out + bytes;
    print(out, answer, text);
    ASSERT_EQ(out, expected);
  }
  EXPECT_EQ(out.find('\r'), std::string::npos);
}

TEST(Printer, F7_a_key_is_echoed_as_it_is) {
  const std::string key = "\0 \x7f\xff\"\\\x01"s;
  EXPECT_EQ(printed({Outcome::lock_get_success}, key), "1 Lock Get Success: " + key + "\n");
  EXPECT_EQ(printed({Outcome::lock_get_failure}, ""), "0 Lock Get Failure: \n");
}

TEST(Printer, F7_keys_of_each_length) {
  for (std::size_t size = 0; size <= 200; ++size) {
    std::string key(size, 'k');
    for (std::size_t i = 0; i < size; ++i) key[i] = static_cast<char>('0' + i % 64);
    EXPECT_EQ(printed({Outcome::lock_not_held}, key), "0 Lock Not Held: " + key + "\n");
    EXPECT_EQ(printed({Outcome::shared_release_failure}, key), "0 Shared Lock Release Failure: " + key + "\n");
    EXPECT_EQ(printed({Outcome::shared_get_success, size}, key),
              std::to_string(size) + " Shared Lock Get Success: " + key + "\n");
  }
}

TEST(Printer, H1_H3_numbers_of_any_size) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(printed({Outcome::shared_get_success, 1}, "k"), "1 Shared Lock Get Success: k\n");
  EXPECT_EQ(printed({Outcome::shared_get_success, 10}, "k"), "10 Shared Lock Get Success: k\n");
  EXPECT_EQ(printed({Outcome::shared_is_locked, 65536}, "k"), "65536 Shared Lock Is Locked: k\n");
  EXPECT_EQ(printed({Outcome::shared_is_locked, largest}, "k"), "18446744073709551615 Shared Lock Is Locked: k\n");
  std::string out = "n=";
  print_number(out, 0);
  EXPECT_EQ(out, "n=0");
}

TEST(Printer, F8_bytes_outside_0x21_to_0x7E_of_an_unknown_verb_are_escaped) {
  EXPECT_EQ(printed({Outcome::unknown_command}, "\0\x1f\x20\x7f\x80\xab\xff"s),
            "0 Unknown Command: \\x00\\x1F\\x20\\x7F\\x80\\xAB\\xFF\n");
  std::string visible;
  for (char byte = 0x21; byte < 0x7F; ++byte) visible += byte;
  for (const auto& piece : {visible.substr(0, 60), visible.substr(60)}) {
    EXPECT_EQ(printed({Outcome::unknown_command}, piece), "0 Unknown Command: " + piece + "\n");
  }
}

TEST(Printer, F8_an_unknown_verb_is_cut_to_64_of_its_own_bytes) {
  EXPECT_EQ(printed({Outcome::unknown_command}, std::string(64, 'v')),
            "0 Unknown Command: " + std::string(64, 'v') + "\n");
  EXPECT_EQ(printed({Outcome::unknown_command}, std::string(64, 'v') + "w"),
            "0 Unknown Command: " + std::string(64, 'v') + "\n");
  std::string escaped;
  for (int i = 0; i < 64; ++i) escaped += "\\xEE";
  EXPECT_EQ(printed({Outcome::unknown_command}, std::string(8192, '\xee')), "0 Unknown Command: " + escaped + "\n");
}

TEST(Printer, E2_a_listed_holder_has_no_blanks) {
  const auto listed = [](std::string_view holder) {
    std::string out = "> ";
    print_listed_holder(out, holder);
    return out;
  };
  EXPECT_EQ(listed("127.0.0.1:50000"), "> 127.0.0.1:50000");
  EXPECT_EQ(listed("a b\\c\t\r\v\f"), "> a\\x20b\\x5Cc\\x09\\x0D\\x0B\\x0C");
  EXPECT_EQ(listed(std::string_view("\0\xC3\x7F", 3)), std::string_view("> \0\xC3\x7F", 5));
}

TEST(Printer, E4_help_says_of_each_verb_in_a_phrase_what_it_is_for) {
  for (const VerbRow& row : verb_table) {
    EXPECT_TRUE(std::regex_match(std::string(row.summary), std::regex("[a-z][A-Za-z,;' ]+[?a-zA-Z]"))) << row.name;
  }
}

TEST(Printer, E4_help_has_a_line_for_each_verb_and_END) {
  std::string out = "before\n";
  print_help(out);
  std::istringstream help(out);
  std::string line;
  std::getline(help, line);
  EXPECT_EQ(line, "before");
  std::size_t longest = 0;
  for (const VerbRow& row : verb_table) longest = std::max(longest, row.usage.size());
  const std::size_t column = longest + 2;
  for (const VerbRow& row : verb_table) {
    ASSERT_TRUE(std::getline(help, line));
    EXPECT_EQ(line.size(), column + row.summary.size()) << line;
    EXPECT_TRUE(line.starts_with(std::string(row.usage) + " ")) << line;
    EXPECT_TRUE(line.ends_with(row.summary)) << line;
  }
  ASSERT_TRUE(std::getline(help, line));
  EXPECT_EQ(line, "END");
  EXPECT_FALSE(std::getline(help, line));
  EXPECT_TRUE(out.ends_with("END\n"));
}

// ---- JSON ----

TEST(JsonString, L2_quotes_and_backslashes_get_a_backslash) {
  EXPECT_EQ(json(""), R"("")");
  EXPECT_EQ(json("plain key/1"), R"("plain key/1")");
  EXPECT_EQ(json(R"(a"b\c)"), R"("a\"b\\c")");
  EXPECT_EQ(json(R"("\"\)"), R"("\"\\\"\\")");
}

TEST(JsonString, L2_bytes_below_0x20_are_u00hh_in_lower_case_and_0x7f_is_not) {
  std::string bytes;
  for (char byte = 0; byte < 0x20; ++byte) bytes += byte;
  EXPECT_EQ(json(bytes),
            R"("\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u000e\u000f)"
            R"(\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f")");
  EXPECT_EQ(json("\x20\x7f"), "\"\x20\x7f\"");
}

TEST(JsonString, L2_well_formed_UTF_8_stands_as_it_is) {
  const std::vector<std::string> sequences = {
      "\xC2\x80",         "\xDF\xBF",         "\xE0\xA0\x80",     "\xE0\xBF\xBF",
      "\xE1\x80\x80",     "\xEC\xBF\xBF",     "\xED\x80\x80",     "\xED\x9F\xBF",
      "\xEE\x80\x80",     "\xEF\xBF\xBF",     "\xF0\x90\x80\x80", "\xF0\xBF\xBF\xBF",
      "\xF1\x80\x80\x80", "\xF3\xBF\xBF\xBF", "\xF4\x80\x80\x80", "\xF4\x8F\xBF\xBF",
  };
  std::string all;
  for (const std::string& sequence : sequences) {
    EXPECT_EQ(json(sequence), "\"" + sequence + "\"");
    all += sequence + "x";
  }
  EXPECT_EQ(json(all), "\"" + all + "\"");
}

// Bytes of which none is part of a well-formed sequence: each stands as \u00hh.
class IllFormed : public testing::TestWithParam<std::string> {
 protected:
  static std::string escaped(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes) {
      out += "\\u00";
      out += "0123456789abcdef"[static_cast<unsigned char>(byte) / 16];
      out += "0123456789abcdef"[static_cast<unsigned char>(byte) % 16];
    }
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(lone, IllFormed, testing::Values("\x80", "\xBF", "\x80\x80", "\xFE", "\xFF", "\xC0", "\xC1"));
INSTANTIATE_TEST_SUITE_P(overlong, IllFormed,
                         testing::Values("\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
                                         "\xF0\x8F\xBF\xBF", "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80"));
INSTANTIATE_TEST_SUITE_P(surrogates, IllFormed, testing::Values("\xED\xA0\x80", "\xED\xAF\xBF", "\xED\xBF\xBF"));
INSTANTIATE_TEST_SUITE_P(too_large, IllFormed,
                         testing::Values("\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF7\xBF\xBF\xBF"));
INSTANTIATE_TEST_SUITE_P(truncated, IllFormed,
                         testing::Values("\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98", "\xC3\xC3",
                                         "\xE2\x82\xE2\x82", "\xF4\x8F\xBF"));

INSTANTIATE_TEST_SUITE_P(followed_by_none_that_continues, IllFormed,
                         testing::Values("\xC3\xC0", "\xE2\xC0\x80", "\xE2\x82\xC0", "\xF0\x9F\x98\xC0"));

TEST(JsonString, L2_0x7f_continues_no_sequence) {
  EXPECT_EQ(json("\xC3\x7F"), "\"\\u00c3\x7F\"");
  EXPECT_EQ(json("\xE2\x82\x7F"), "\"\\u00e2\\u0082\x7F\"");
}

TEST_P(IllFormed, L2_each_byte_is_escaped_whatever_stands_around_it) {
  const std::string& bytes = GetParam();
  EXPECT_EQ(json(bytes), "\"" + escaped(bytes) + "\"");
  EXPECT_EQ(json(bytes + "A"), "\"" + escaped(bytes) + "A\"");
  EXPECT_EQ(json("A" + bytes), "\"A" + escaped(bytes) + "\"");
  EXPECT_EQ(json(bytes + "\""), "\"" + escaped(bytes) + R"(\"")");
  EXPECT_EQ(json(bytes + "\n"), "\"" + escaped(bytes) + "\\u000a\"");
  EXPECT_EQ(json(bytes + "\xC3\xA9"), "\"" + escaped(bytes) + "\xC3\xA9\"");
  EXPECT_EQ(json("\xC3\xA9" + bytes), "\"\xC3\xA9" + escaped(bytes) + "\"");
}

}  // namespace
}  // namespace lockd::server
