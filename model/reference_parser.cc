// Split at LF, drop one CR, split at blanks, look the first word up, take its numbers, fold the rest.
#include "model/reference_parser.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace lockd::model {
namespace {

// What may follow a verb: a key, name or word (F3), nothing that counts (classic), or nothing at all (extended, F9).
enum class Takes { rest, ignored, nothing };

// The numbers that come first, in this order.
enum class Numbers { none, limit, milliseconds, limit_and_milliseconds };

struct Entry {
  std::string_view spelling;
  Verb verb;
  Takes takes;
  Numbers numbers = Numbers::none;
};

constexpr std::array<Entry, verb_count> entries{{
    {"g", Verb::get, Takes::rest},
    {"gw", Verb::get_wait, Takes::rest, Numbers::milliseconds},
    {"r", Verb::release, Takes::rest},
    {"i", Verb::inspect, Takes::rest},
    {"iw", Verb::inspect_line, Takes::rest},
    {"t", Verb::token, Takes::rest},
    {"sg", Verb::get_shared, Takes::rest},
    {"sgl", Verb::get_limited, Takes::rest, Numbers::limit},
    {"sgw", Verb::get_limited_wait, Takes::rest, Numbers::limit_and_milliseconds},
    {"sr", Verb::release_shared, Takes::rest},
    {"si", Verb::inspect_shared, Takes::rest},
    {"siw", Verb::inspect_shared_line, Takes::rest},
    {"st", Verb::token_shared, Takes::rest},
    {"ra", Verb::release_all, Takes::nothing},
    {"cancel", Verb::cancel, Takes::nothing},
    {"d", Verb::list_locks, Takes::rest},
    {"sd", Verb::list_shared, Takes::rest},
    {"dump", Verb::dump, Takes::rest},
    {"list", Verb::list, Takes::rest},
    {"q", Verb::counters, Takes::ignored},
    {"stats", Verb::statistics, Takes::nothing},
    {"me", Verb::me, Takes::ignored},
    {"iam", Verb::name_me, Takes::rest},
    {"who", Verb::who, Takes::rest},
    {"ping", Verb::ping, Takes::nothing},
    {"version", Verb::version, Takes::nothing},
    {"help", Verb::help, Takes::nothing},
    {"quit", Verb::quit, Takes::nothing},
}};

// F11.
constexpr std::array<std::string_view, 6> browser_verbs{"GET", "HEAD", "POST", "PUT", "OPTIONS", "Host:"};

// F2: takes the next word off the front of `line`; the words of a line are what stands between its blanks. Empty where
// there is none.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t\r\v\f";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

// F3: the words of `rest`, with one space between any two.
std::string folded(std::string_view rest) {
  std::string text(take_word(rest));
  for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) text.append(" ").append(word);
  return text;
}

// F9: decimal digits, leading zeros allowed, from `least` to 2147483647.
std::optional<std::uint32_t> number_of(std::string_view word, std::uint32_t least) {
  if (word.empty() || word.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : word)
    number = std::min<std::uint64_t>(number * 10 + static_cast<std::uint64_t>(digit - '0'), 1ULL << 31);
  if (number < least || number > 2147483647) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

// The verb with its arguments, which are the words of `rest`; nothing if they are bad (F9).
std::optional<Request> parse_command(const Entry& entry, std::string_view rest) {
  if (entry.takes == Takes::nothing && !take_word(rest).empty()) return std::nullopt;
  Request request{LineKind::command, entry.verb, ""};
  const auto take_number = [&rest](std::uint32_t& number, std::uint32_t least) {
    const auto taken = number_of(take_word(rest), least);
    number = taken.value_or(0);
    return taken.has_value();
  };
  const bool limited = entry.numbers == Numbers::limit || entry.numbers == Numbers::limit_and_milliseconds;
  const bool timed = entry.numbers == Numbers::milliseconds || entry.numbers == Numbers::limit_and_milliseconds;
  if (limited && !take_number(request.limit, 1)) return std::nullopt;
  if (timed && !take_number(request.milliseconds, 0)) return std::nullopt;
  if (entry.takes == Takes::rest) request.text = folded(rest);
  return request;
}

}  // namespace

std::optional<Request> parse_line(std::string_view line, std::size_t line_bytes_max) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);  // F1
  if (line.size() > line_bytes_max) return Request{LineKind::too_long, Verb::get, ""};
  const std::string_view verb = take_word(line);
  if (verb.empty()) return std::nullopt;
  if (std::ranges::count(browser_verbs, verb) > 0) return Request{LineKind::browser, Verb::get, ""};
  const auto* const entry = std::ranges::find(entries, verb, &Entry::spelling);
  if (entry == entries.end()) return Request{LineKind::unknown_verb, Verb::get, std::string(verb)};
  auto command = parse_command(*entry, line);
  return command ? std::move(command) : Request{LineKind::bad_arguments, entry->verb, ""};
}

std::vector<Request> parse_stream(std::string_view stream, std::size_t line_bytes_max) {
  std::vector<Request> requests;
  for (auto end = stream.find('\n'); end != std::string_view::npos; end = stream.find('\n')) {
    if (auto request = parse_line(stream.substr(0, end + 1), line_bytes_max)) requests.push_back(std::move(*request));
    stream.remove_prefix(end + 1);
  }
  return requests;
}

}  // namespace lockd::model
