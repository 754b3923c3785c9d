#include "server/protocol.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/check.h"
#include "engine/words.h"
#include "server/low_bytes.h"

namespace lockd::server {

namespace {

constexpr bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

inline std::string_view without_leading_blanks(std::string_view bytes) {
  while (!bytes.empty() && is_blank(bytes.front())) bytes.remove_prefix(1);
  return bytes;
}

inline std::string_view without_outer_blanks(std::string_view bytes) {
  bytes = without_leading_blanks(bytes);
  while (!bytes.empty() && is_blank(bytes.back())) bytes.remove_suffix(1);
  return bytes;
}

/// The first of some words without blanks at their end; `rest` goes on behind it and the blanks that follow.
inline std::string_view take_word(std::string_view& rest) {
  std::size_t size = 0;
  while (size < rest.size() && !is_blank(rest[size])) ++size;
  const std::string_view word = rest.substr(0, size);
  rest = without_leading_blanks(rest.substr(size));
  return word;
}

/// F9: a number of an extended verb, which stands first in `rest` and is taken off it; whether it is good.
bool take_number(std::string_view& rest, std::uint32_t least, std::uint32_t& number) {
  constexpr std::uint64_t most = 2147483647;
  const std::string_view word = take_word(rest);
  std::uint64_t value = 0;
  for (const char digit : word) {
    if (digit < '0' || digit > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    if (value > most) return false;
  }
  number = static_cast<std::uint32_t>(value);
  return !word.empty() && value >= least;
}

bool take_numbers(Numbers which, std::string_view& rest, ParsedLine& line) {
  const bool limited = which == Numbers::limit || which == Numbers::limit_and_milliseconds;
  const bool timed = which == Numbers::milliseconds || which == Numbers::limit_and_milliseconds;
  return (!limited || take_number(rest, 1, line.limit)) && (!timed || take_number(rest, 0, line.milliseconds));
}

/// F11: what a browser's request, and the line after it, begin with.
bool is_browser(std::string_view verb) {
  constexpr std::array<std::string_view, 6> words = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "Host:"};
  return std::ranges::find(words, verb) != words.end();
}

/// F8, F11: a line that begins with a word that is no verb.
ParsedLine unknown(std::string_view word) {
  if (is_browser(word)) return {LineKind::browser};
  return {LineKind::unknown_verb, Verb::get, word};
}

}  // namespace

Parser::Result Parser::next(std::string_view input) {
  Result result;
  ParsedLine line;
  if (next(input, result.consumed, line)) result.line = line;
  return result;
}

bool Parser::next(std::string_view input, std::size_t& consumed, ParsedLine& line) {
  forget_folded();
  if (next_whole(input, consumed, line)) return true;
  consumed += discard_if_too_long(input.substr(consumed));
  return false;
}

bool Parser::next_whole(std::string_view input, std::size_t& consumed, ParsedLine& line) {
  return next_plain(input, consumed, line) || next_of_any(input, consumed, line);
}

/// The line that nearly all are: a verb, one space, a text, neither with a byte below 0x21 in it, and so short that it
/// is seen in one go. False where what comes next is anything else, be it that it is no whole line yet.
inline bool Parser::next_plain(std::string_view input, std::size_t& consumed, ParsedLine& line) {
  const std::string_view rest(input.data() + consumed, input.size() - consumed);
  if (rest.size() < low_bytes_seen_min) return false;
  const std::uint32_t low = low_bytes(rest);
  const std::uint32_t behind_verb = low & (low - 1);
  if (behind_verb == 0) return false;
  const auto verb_end = static_cast<std::size_t>(std::countr_zero(low));
  const auto line_end = static_cast<std::size_t>(std::countr_zero(behind_verb));
  if (rest[line_end] != '\n' || verb_end > short_word_bytes_max) return false;
  if (line_end > line_bytes_max_ || discarding_) return false;
  const std::uint64_t with_space = ~std::uint64_t{0} >> (56 - 8 * verb_end);
  const VerbRow* const row = verb_index.find(engine::word_at(rest.data()) & with_space);
  if (row == nullptr || row->takes != Takes::text || row->numbers != Numbers::none) return false;
  line = {LineKind::command, row->verb, {rest.data() + verb_end + 1, rest.data() + line_end}};
  consumed += line_end + 1;
  searched_ = 0;
  return true;
}

bool Parser::next_of_any(std::string_view input, std::size_t& consumed, ParsedLine& line) {
  while (consumed < input.size()) {
    const std::string_view rest = input.substr(consumed);
    LOCKD_CHECK(searched_ <= rest.size(), "the input begins with what was not consumed");
    const std::size_t line_feed = rest.find('\n', searched_);
    if (line_feed == std::string_view::npos) return false;
    consumed += line_feed + 1;
    searched_ = 0;
    if (parse(rest.substr(0, line_feed), line)) return true;
  }
  return false;
}

/// How much of a line without its LF can be forgotten: all of it, once nothing that may follow can bring it back within
/// the limit. (One byte beyond the limit can be the CR of a CR LF.)
std::size_t Parser::discard_if_too_long(std::string_view rest) {
  const bool may_still_fit =
      rest.size() <= line_bytes_max_ || (rest.size() == line_bytes_max_ + 1 && rest.back() == '\r');
  if (may_still_fit && !discarding_) {
    searched_ = rest.size();
    return 0;
  }
  discarding_ = true;
  searched_ = 0;
  return rest.size();
}

/// A whole line without its LF. False if it is blank.
bool Parser::parse(std::string_view bytes, ParsedLine& line) {
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  const bool too_long = discarding_ || bytes.size() > line_bytes_max_;
  discarding_ = false;
  if (too_long) {
    line = {LineKind::too_long};
    return true;
  }
  const std::string_view words = without_outer_blanks(bytes);
  if (words.empty()) return false;
  parse_words(words, line);
  return true;
}

void Parser::parse_words(std::string_view words, ParsedLine& line) {
  std::string_view rest = words;
  const std::string_view name = take_word(rest);
  const VerbRow* const row = verb_index.find(name);
  if (row == nullptr) {
    line = unknown(name);
    return;
  }
  line = {LineKind::command, row->verb};
  if (row->takes == Takes::text) return parse_arguments(*row, rest, line);
  if (row->takes == Takes::nothing && !rest.empty()) line.kind = LineKind::bad_arguments;
}

/// What follows a verb that takes something: its numbers, then a text that may be empty.
void Parser::parse_arguments(const VerbRow& row, std::string_view rest, ParsedLine& line) {
  if (row.numbers != Numbers::none && !take_numbers(row.numbers, rest, line)) {
    line = {LineKind::bad_arguments, row.verb};
  } else {
    line.text = fold(rest);
  }
}

/// F3. Most keys have no blank, or single spaces only: they are not copied.
std::string_view Parser::fold(std::string_view words) {
  if (!has_low_byte(words)) return words;
  const auto needs_folding = [](char left, char right) { return is_blank(left) && (left != ' ' || is_blank(right)); };
  if (std::ranges::adjacent_find(words, needs_folding) == words.end()) return words;
  folded_.clear();
  for (const char byte : words) {
    if (!is_blank(byte)) {
      folded_.push_back(byte);
    } else if (folded_.back() != ' ') {  // never empty here: the words have no outer blanks
      folded_.push_back(' ');
    }
  }
  return folded_;
}

}  // namespace lockd::server
