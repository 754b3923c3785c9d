// The other half of server/protocol.h: answers to bytes.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "engine/check.h"
#include "server/protocol.h"
#include "server/utf8.h"

namespace lockd::server {

namespace {

constexpr std::size_t echoed_verb_bytes_max = 64;  // F8

/// How the line of an outcome is made.
enum class Form : std::uint8_t {
  text,     // its words and the text
  counted,  // the number ahead of them
  limit,    // F6, W2: the number behind its words, in bytes
  verb,     // F8: its words and the text, so that a terminal, or a log, can show it
};

struct Line {
  Form form;
  std::string_view words;
};

// clang-format off: one line for each
constexpr Line line_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::lock_get_success:       return {Form::text, "1 Lock Get Success: "};
    case Outcome::lock_get_failure:       return {Form::text, "0 Lock Get Failure: "};
    case Outcome::lock_get_timeout:       return {Form::text, "0 Lock Get Timeout: "};
    case Outcome::lock_get_deadlock:      return {Form::text, "0 Lock Get Deadlock: "};
    case Outcome::lock_get_canceled:      return {Form::text, "0 Lock Get Canceled: "};
    case Outcome::lock_release_success:   return {Form::text, "1 Lock Release Success: "};
    case Outcome::lock_release_failure:   return {Form::text, "0 Lock Release Failure: "};
    case Outcome::lock_is_locked:         return {Form::text, "1 Lock Is Locked: "};
    case Outcome::lock_not_locked:        return {Form::text, "0 Lock Not Locked: "};
    case Outcome::lock_waiters:           return {Form::counted, " Lock Waiters: "};
    case Outcome::lock_token:             return {Form::counted, " Lock Token: "};
    case Outcome::lock_not_held:          return {Form::text, "0 Lock Not Held: "};
    case Outcome::shared_get_success:     return {Form::counted, " Shared Lock Get Success: "};
    case Outcome::shared_get_failure:     return {Form::text, "0 Shared Lock Get Failure: "};
    case Outcome::shared_get_timeout:     return {Form::text, "0 Shared Lock Get Timeout: "};
    case Outcome::shared_get_canceled:    return {Form::text, "0 Shared Lock Get Canceled: "};
    case Outcome::shared_release_success: return {Form::text, "1 Shared Lock Release Success: "};
    case Outcome::shared_release_failure: return {Form::text, "0 Shared Lock Release Failure: "};
    case Outcome::shared_is_locked:       return {Form::counted, " Shared Lock Is Locked: "};
    case Outcome::shared_not_locked:      return {Form::text, "0 Shared Lock Not Locked: "};
    case Outcome::shared_waiters:         return {Form::counted, " Shared Lock Waiters: "};
    case Outcome::shared_token:           return {Form::counted, " Shared Lock Token: "};
    case Outcome::shared_not_held:        return {Form::text, "0 Shared Lock Not Held: "};
    case Outcome::too_many_locks:         return {Form::text, "0 Too Many Locks: "};
    case Outcome::too_many_waiters:       return {Form::text, "0 Too Many Waiters: "};
    case Outcome::out_of_tokens:          return {Form::text, "0 Out Of Tokens: "};
    case Outcome::locks_released:         return {Form::counted, " Locks Released"};
    case Outcome::canceled:               return {Form::text, "1 Canceled"};
    case Outcome::nothing_to_cancel:      return {Form::text, "0 Nothing To Cancel"};
    case Outcome::too_much_input:         return {Form::limit, "0 Too Much Input: limit "};
    case Outcome::unknown_command:        return {Form::verb, "0 Unknown Command: "};
    case Outcome::bad_arguments:          return {Form::text, "0 Bad Arguments: "};
    case Outcome::line_too_long:          return {Form::limit, "0 Line Too Long: limit "};
    case Outcome::disabled:               return {Form::text, "0 disabled"};
    case Outcome::named:                  return {Form::text, "1 ok"};
    case Outcome::pong:                   return {Form::text, "1 pong"};
    case Outcome::version:                return {Form::text, "1 lockd "};
  }
  LOCKD_CHECK(false, "each outcome has its line");
}
// clang-format on

/// The same, as it is fast to print: the words with room for a short text and the LF behind them.
struct PaddedLine {
  static constexpr std::size_t short_text_bytes_max = 32;

  std::array<char, 64> bytes{};
  std::uint8_t words_size = 0;
  Form form = Form::text;
};

constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::version) + 1;

constexpr std::array<PaddedLine, outcome_count> padded_lines = [] {
  std::array<PaddedLine, outcome_count> lines;
  for (std::size_t i = 0; i < outcome_count; ++i) {
    const auto [form, words] = line_of(static_cast<Outcome>(i));
    PaddedLine& line = lines[i];
    LOCKD_CHECK(words.size() + PaddedLine::short_text_bytes_max < line.bytes.size(), "it has room for all words");
    words.copy(line.bytes.data(), words.size());
    line.words_size = static_cast<std::uint8_t>(words.size());
    line.form = form;
  }
  return lines;
}();

[[gnu::noinline]] void print_long_line(std::string& out, const PaddedLine& line, std::string_view text) {
  out.append(line.bytes.data(), line.words_size).append(text).push_back('\n');
}

/// A short line is made where it is to stand, in steps of a fixed size beyond its end, which then is cut.
[[gnu::always_inline]] inline void print_line(std::string& out, const PaddedLine& line, std::string_view text) {
  if (text.size() > PaddedLine::short_text_bytes_max) return print_long_line(out, line, text);
  const std::size_t words_end = out.size() + line.words_size;
  out.append(line.bytes.data(), line.bytes.size());
  char* const to = out.data() + words_end;
  if (text.size() >= 16) {
    std::memcpy(to, text.data(), 16);
    std::memcpy(to + text.size() - 16, text.data() + text.size() - 16, 16);
  } else {
    text.copy(to, text.size());
  }
  to[text.size()] = '\n';
  out.erase(words_end + text.size() + 1);
}

void print_hex(std::string& out, unsigned char byte, std::string_view digits) {
  out.push_back(digits[byte >> 4]);
  out.push_back(digits[byte & 15]);
}

/// F8.
std::string visible(std::string_view verb) {
  std::string out;
  for (const char byte : verb.substr(0, echoed_verb_bytes_max)) {
    if (byte >= 0x21 && byte <= 0x7E) {
      out.push_back(byte);
    } else {
      print_hex(out.append("\\x"), static_cast<unsigned char>(byte), "0123456789ABCDEF");
    }
  }
  return out;
}

[[gnu::noinline]] void print_rarer(std::string& out, const PaddedLine& line, std::uint64_t number,
                                   std::string_view text) {
  switch (line.form) {
    case Form::text:
      return print_line(out, line, text);
    case Form::counted:
      print_number(out, number);
      return print_line(out, line, text);
    case Form::limit:
      return print_line(out, line, std::to_string(number) + " bytes");
    case Form::verb:
      return print_line(out, line, visible(text));
  }
}

}  // namespace

void print(std::string& out, const Answer& answer, std::string_view text) {
  const PaddedLine& line = padded_lines[static_cast<std::size_t>(answer.outcome)];
  if (line.form == Form::text) return print_line(out, line, text);
  print_rarer(out, line, answer.number, text);
}

void print_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};  // 2^64 - 1 has 20
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void print_json_string(std::string& out, std::string_view bytes) {
  out.push_back('"');
  while (!bytes.empty()) {
    const char first = bytes.front();
    const std::size_t sequence = utf8_sequence(bytes);
    const bool escaped = sequence == 0 || static_cast<unsigned char>(first) < 0x20;
    if (escaped) print_hex(out.append("\\u00"), static_cast<unsigned char>(first), "0123456789abcdef");
    if (first == '"' || first == '\\') out.push_back('\\');
    if (!escaped) out.append(bytes.substr(0, sequence));
    bytes.remove_prefix(std::max<std::size_t>(sequence, 1));
  }
  out.push_back('"');
}

void print_listed_holder(std::string& out, std::string_view holder) {
  constexpr std::string_view escaped = "\\ \t\r\v\f";
  for (const char byte : holder) {
    if (escaped.find(byte) == std::string_view::npos) {
      out.push_back(byte);
    } else {
      print_hex(out.append("\\x"), static_cast<unsigned char>(byte), "0123456789ABCDEF");
    }
  }
}

void print_help(std::string& out) {
  constexpr std::size_t usage_column_bytes = 28;
  for (const VerbRow& row : verb_table) {
    out.append(row.usage).append(usage_column_bytes - row.usage.size(), ' ');
    out.append(row.summary).push_back('\n');
  }
  out.append("END\n");
}

}  // namespace lockd::server
