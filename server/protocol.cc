#include "server/protocol.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

constexpr std::array<VerbRow, verb_count> verb_table = {{
    {Verb::get, "g", "g KEY", "take the exclusive lock KEY, or fail at once", Takes::text},
    {Verb::get_wait, "gw", "gw MILLISECONDS KEY", "take the exclusive lock KEY, waiting in line for so long",
     Takes::text, Numbers::milliseconds},
    {Verb::release, "r", "r KEY", "release the exclusive lock KEY", Takes::text},
    {Verb::inspect, "i", "i KEY", "is anybody holding the exclusive lock KEY?", Takes::text},
    {Verb::inspect_line, "iw", "iw KEY", "how many wait for the exclusive lock KEY?", Takes::text},
    {Verb::token, "t", "t KEY", "the token of the exclusive lock KEY, which this connection holds", Takes::text},
    {Verb::get_shared, "sg", "sg KEY", "take the shared lock KEY; how many hold it now?", Takes::text},
    {Verb::get_limited, "sgl", "sgl LIMIT KEY", "the same, unless LIMIT hold it already or somebody is in line",
     Takes::text, Numbers::limit},
    {Verb::get_limited_wait, "sgw", "sgw LIMIT MILLISECONDS KEY", "the same, waiting in line for so long", Takes::text,
     Numbers::limit_and_milliseconds},
    {Verb::release_shared, "sr", "sr KEY", "release the shared lock KEY", Takes::text},
    {Verb::inspect_shared, "si", "si KEY", "how many hold the shared lock KEY?", Takes::text},
    {Verb::inspect_shared_line, "siw", "siw KEY", "how many wait for the shared lock KEY?", Takes::text},
    {Verb::token_shared, "st", "st KEY", "the token of the shared lock KEY, which this connection holds", Takes::text},
    {Verb::release_all, "ra", "ra", "release all locks of this connection", Takes::nothing},
    {Verb::cancel, "cancel", "cancel", "stop waiting", Takes::nothing},
    {Verb::list_locks, "d", "d [KEY]", "list exclusive locks and their holders", Takes::text},
    {Verb::list_shared, "sd", "sd [KEY]", "list shared locks and their holders", Takes::text},
    {Verb::dump, "dump", "dump [shared]", "all locks and the addresses of their holders, as JSON", Takes::text},
    {Verb::list, "list", "list [PREFIX]", "all holders and waiters, with ages and tokens, of keys that begin so",
     Takes::text},
    {Verb::counters, "q", "q", "the classic counters", Takes::words_ignored},
    {Verb::statistics, "stats", "stats", "all counters", Takes::nothing},
    {Verb::me, "me", "me", "this connection's address and name", Takes::words_ignored},
    {Verb::name_me, "iam", "iam [NAME]", "name this connection; without NAME, forget its name", Takes::text},
    {Verb::who, "who", "who [NAME]", "list the connections that have a name", Takes::text},
    {Verb::ping, "ping", "ping", "is the server there?", Takes::nothing},
    {Verb::version, "version", "version", "the server's version", Takes::nothing},
    {Verb::help, "help", "help", "this list", Takes::nothing},
    {Verb::quit, "quit", "quit", "end this connection", Takes::nothing},
}};

namespace {

constexpr bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

constexpr std::size_t short_word_bytes_max = 7;

/// Goes on in the number of a word: that of no bytes is 1, and so no two words of up to short_word_bytes_max bytes have
/// the same.
constexpr std::uint64_t number_with(std::uint64_t number, char byte) {
  return number << 8 | static_cast<unsigned char>(byte);
}

constexpr std::uint64_t number_of(std::string_view word) {
  std::uint64_t number = 1;
  for (const char byte : word) number = number_with(number, byte);
  return number;
}

/// The rows of verb_table by the numbers of their names: each has a place of its own.
class VerbIndex {
 public:
  /// Looks for a factor that sends no two of them to one place. There is one, or this is no constant.
  constexpr VerbIndex() {
    while (!places_are_free()) factor_ *= 6364136223846793005;  // odd, with bits as if drawn
    for (std::size_t row = 0; row < verb_table.size(); ++row) {
      numbers_[row] = number_of(verb_table[row].name);
      rows_[place_of(numbers_[row])] = static_cast<std::uint8_t>(row);
    }
  }

  /// nullptr where no verb has this number.
  constexpr const VerbRow* find(std::uint64_t number) const {
    const std::uint8_t row = rows_[place_of(number)];
    return numbers_[row] == number ? &verb_table[row] : nullptr;
  }

 private:
  static constexpr int place_bits = 8;

  constexpr std::size_t place_of(std::uint64_t number) const {
    return static_cast<std::size_t>(number * factor_ >> (64 - place_bits));
  }

  constexpr bool places_are_free() const {
    std::array<bool, std::size_t{1} << place_bits> taken{};
    return std::ranges::none_of(verb_table, [&](const VerbRow& row) {
      return row.name.size() > short_word_bytes_max || std::exchange(taken[place_of(number_of(row.name))], true);
    });
  }

  std::uint64_t factor_ = 0x9E3779B97F4A7C15;
  std::array<std::uint8_t, std::size_t{1} << place_bits> rows_{};  // of an empty place the first
  std::array<std::uint64_t, verb_count> numbers_{};
};

constexpr VerbIndex verb_index;

inline std::string_view without_leading_blanks(std::string_view bytes) {
  while (!bytes.empty() && is_blank(bytes.front())) bytes.remove_prefix(1);
  return bytes;
}

inline std::string_view without_outer_blanks(std::string_view bytes) {
  bytes = without_leading_blanks(bytes);
  while (!bytes.empty() && is_blank(bytes.back())) bytes.remove_suffix(1);
  return bytes;
}

struct Word {
  std::string_view bytes;
  std::uint64_t number;  // of a word that is short
};

/// The first of some words without blanks at their end; `rest` goes on behind it and the blanks that follow.
inline Word take_word(std::string_view& rest) {
  std::uint64_t number = 1;
  std::size_t size = 0;
  while (size < rest.size() && !is_blank(rest[size])) number = number_with(number, rest[size++]);
  const std::string_view bytes = rest.substr(0, size);
  rest = without_leading_blanks(rest.substr(size));
  return {bytes, number};
}

/// F9: a number of an extended verb, which stands first in `rest` and is taken off it; whether it is good.
bool take_number(std::string_view& rest, std::uint32_t least, std::uint32_t& number) {
  constexpr std::uint64_t most = 2147483647;
  const std::string_view word = take_word(rest).bytes;
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

/// Whether some byte is below 0x21, as all blanks are: most keys have none. Eight at a time.
bool has_low_byte(std::string_view bytes) {
  constexpr std::uint64_t each = 0x0101010101010101;
  const auto low_bytes_at = [&](std::size_t at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    return (eight - each * 0x21) & ~eight & each * 0x80;
  };
  if (bytes.size() < 8) return std::ranges::any_of(bytes, [](unsigned char byte) { return byte < 0x21; });
  std::uint64_t low = low_bytes_at(bytes.size() - 8);
  for (std::size_t at = 0; at + 8 < bytes.size(); at += 8) low |= low_bytes_at(at);
  return low != 0;
}

}  // namespace

Parser::Result Parser::next(std::string_view input) {
  Result result;
  ParsedLine line;
  if (next(input, result.consumed, line)) result.line = line;
  return result;
}

bool Parser::next(std::string_view input, std::size_t& consumed, ParsedLine& line) {
  if (!scratch_.empty()) std::string().swap(scratch_);  // its memory too
  if (next_whole(input, consumed, line)) return true;
  consumed += discard_if_too_long(input.substr(consumed));
  return false;
}

bool Parser::next_whole(std::string_view input, std::size_t& consumed, ParsedLine& line) {
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
  const Word name = take_word(rest);
  const VerbRow* const row = name.bytes.size() <= short_word_bytes_max ? verb_index.find(name.number) : nullptr;
  if (row == nullptr) {
    line = unknown(name.bytes);
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
    line.text = folded(rest);
  }
}

/// F3. Most keys have no blank, or single spaces only: they are not copied.
std::string_view Parser::folded(std::string_view words) {
  if (!has_low_byte(words)) return words;
  const auto needs_folding = [](char left, char right) { return is_blank(left) && (left != ' ' || is_blank(right)); };
  if (std::ranges::adjacent_find(words, needs_folding) == words.end()) return words;
  scratch_.clear();
  for (const char byte : words) {
    if (!is_blank(byte)) {
      scratch_.push_back(byte);
    } else if (scratch_.back() != ' ') {  // never empty here: the words have no outer blanks
      scratch_.push_back(' ');
    }
  }
  return scratch_;
}

}  // namespace lockd::server
