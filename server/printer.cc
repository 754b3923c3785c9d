// The other half of server/protocol.h: answers to bytes.
#include <algorithm>
#include <array>
#include <charconv>

#include "engine/check.h"
#include "server/protocol.h"
#include "server/utf8.h"

namespace lockd::server {

namespace {

constexpr std::size_t echoed_verb_bytes_max = 64;  // F8

/// Most lines are short, and put together before they are appended: appending is what costs.
void print_line(std::string& out, std::string_view text, std::string_view tail) {
  std::array<char, 128> line;
  if (text.size() + tail.size() >= line.size()) {
    out.append(text).append(tail).push_back('\n');
    return;
  }
  text.copy(line.data(), text.size());
  tail.copy(line.data() + text.size(), tail.size());
  line[text.size() + tail.size()] = '\n';
  out.append(line.data(), text.size() + tail.size() + 1);
}

void print_counted(std::string& out, std::uint64_t number, std::string_view text, std::string_view tail) {
  print_number(out, number);
  print_line(out, text, tail);
}

void print_hex(std::string& out, unsigned char byte, std::string_view digits) {
  out.push_back(digits[byte >> 4]);
  out.push_back(digits[byte & 15]);
}

/// F6, W2.
void print_limit(std::string& out, std::string_view text, std::uint64_t limit) {
  print_number(out.append(text), limit);
  print_line(out, " bytes", "");
}

/// F8: so that a terminal, or a log, can show it.
void print_unknown_verb(std::string& out, std::string_view verb) {
  out.append("0 Unknown Command: ");
  for (const char byte : verb.substr(0, echoed_verb_bytes_max)) {
    if (byte >= 0x21 && byte <= 0x7E) {
      out.push_back(byte);
    } else {
      print_hex(out.append("\\x"), static_cast<unsigned char>(byte), "0123456789ABCDEF");
    }
  }
  out.push_back('\n');
}

}  // namespace

// clang-format off: one line for each
void print(std::string& out, const Answer& answer, std::string_view text) {
  switch (answer.outcome) {
    case Outcome::lock_get_success:       return print_line(out, "1 Lock Get Success: ", text);
    case Outcome::lock_get_failure:       return print_line(out, "0 Lock Get Failure: ", text);
    case Outcome::lock_get_timeout:       return print_line(out, "0 Lock Get Timeout: ", text);
    case Outcome::lock_get_deadlock:      return print_line(out, "0 Lock Get Deadlock: ", text);
    case Outcome::lock_get_canceled:      return print_line(out, "0 Lock Get Canceled: ", text);
    case Outcome::lock_release_success:   return print_line(out, "1 Lock Release Success: ", text);
    case Outcome::lock_release_failure:   return print_line(out, "0 Lock Release Failure: ", text);
    case Outcome::lock_is_locked:         return print_line(out, "1 Lock Is Locked: ", text);
    case Outcome::lock_not_locked:        return print_line(out, "0 Lock Not Locked: ", text);
    case Outcome::lock_waiters:           return print_counted(out, answer.number, " Lock Waiters: ", text);
    case Outcome::lock_token:             return print_counted(out, answer.number, " Lock Token: ", text);
    case Outcome::lock_not_held:          return print_line(out, "0 Lock Not Held: ", text);
    case Outcome::shared_get_success:     return print_counted(out, answer.number, " Shared Lock Get Success: ", text);
    case Outcome::shared_get_failure:     return print_line(out, "0 Shared Lock Get Failure: ", text);
    case Outcome::shared_get_timeout:     return print_line(out, "0 Shared Lock Get Timeout: ", text);
    case Outcome::shared_get_canceled:    return print_line(out, "0 Shared Lock Get Canceled: ", text);
    case Outcome::shared_release_success: return print_line(out, "1 Shared Lock Release Success: ", text);
    case Outcome::shared_release_failure: return print_line(out, "0 Shared Lock Release Failure: ", text);
    case Outcome::shared_is_locked:       return print_counted(out, answer.number, " Shared Lock Is Locked: ", text);
    case Outcome::shared_not_locked:      return print_line(out, "0 Shared Lock Not Locked: ", text);
    case Outcome::shared_waiters:         return print_counted(out, answer.number, " Shared Lock Waiters: ", text);
    case Outcome::shared_token:           return print_counted(out, answer.number, " Shared Lock Token: ", text);
    case Outcome::shared_not_held:        return print_line(out, "0 Shared Lock Not Held: ", text);
    case Outcome::too_many_locks:         return print_line(out, "0 Too Many Locks: ", text);
    case Outcome::too_many_waiters:       return print_line(out, "0 Too Many Waiters: ", text);
    case Outcome::out_of_tokens:          return print_line(out, "0 Out Of Tokens: ", text);
    case Outcome::locks_released:         return print_counted(out, answer.number, " Locks Released", "");
    case Outcome::canceled:               return print_line(out, "1 Canceled", "");
    case Outcome::nothing_to_cancel:      return print_line(out, "0 Nothing To Cancel", "");
    case Outcome::too_much_input:         return print_limit(out, "0 Too Much Input: limit ", answer.number);
    case Outcome::unknown_command:        return print_unknown_verb(out, text);
    case Outcome::bad_arguments:          return print_line(out, "0 Bad Arguments: ", text);
    case Outcome::line_too_long:          return print_limit(out, "0 Line Too Long: limit ", answer.number);
    case Outcome::disabled:               return print_line(out, "0 disabled", "");
    case Outcome::named:                  return print_line(out, "1 ok", "");
    case Outcome::pong:                   return print_line(out, "1 pong", "");
    case Outcome::version:                return print_line(out, "1 lockd ", text);
  }
  LOCKD_CHECK(false, "each outcome has its text");
}
// clang-format on

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
    print_line(out, row.summary, "");
  }
  print_line(out, "END", "");
}

}  // namespace lockd::server
