// Split at LF, drop one CR, split at blanks, look the first word up.
#include "model/reference_parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace lockd::model {
namespace {

// What may follow a verb: a key, name or word (F3), nothing that counts (classic), or nothing at all (extended, F9).
enum class Takes { rest, ignored, nothing };

struct Entry {
  std::string_view spelling;
  Verb verb;
  Takes takes;
};

constexpr std::array<Entry, verb_count> entries{{
    {"g", Verb::get, Takes::rest},
    {"r", Verb::release, Takes::rest},
    {"i", Verb::inspect, Takes::rest},
    {"sg", Verb::get_shared, Takes::rest},
    {"sr", Verb::release_shared, Takes::rest},
    {"si", Verb::inspect_shared, Takes::rest},
    {"d", Verb::list_locks, Takes::rest},
    {"sd", Verb::list_shared, Takes::rest},
    {"dump", Verb::dump, Takes::rest},
    {"q", Verb::counters, Takes::ignored},
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

// F2: the words of a line are what stands between its blanks.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char byte : line) {
    const bool blank = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
    if (!blank && !inside) words.emplace_back();
    if (!blank) words.back() += byte;
    inside = !blank;
  }
  return words;
}

// F3: the words behind the verb, with one space between any two.
std::string folded_rest(const std::vector<std::string>& words) {
  std::string rest;
  for (std::size_t i = 1; i < words.size(); ++i) rest += (i == 1 ? "" : " ") + words[i];
  return rest;
}

// A line without its terminator. Nothing comes of a blank one (F4).
std::optional<Request> parse_line(std::string_view line, std::size_t line_bytes_max) {
  if (line.size() > line_bytes_max) return Request{LineKind::too_long, Verb::get, ""};
  const std::vector<std::string> words = words_of(line);
  if (words.empty()) return std::nullopt;
  const std::string& verb = words.front();
  if (std::ranges::count(browser_verbs, verb) > 0) return Request{LineKind::browser, Verb::get, ""};
  const auto* const entry = std::ranges::find(entries, verb, &Entry::spelling);
  if (entry == entries.end()) return Request{LineKind::unknown_verb, Verb::get, verb};
  if (entry->takes == Takes::rest) return Request{LineKind::command, entry->verb, folded_rest(words)};
  const bool bad = entry->takes == Takes::nothing && words.size() > 1;
  return Request{bad ? LineKind::bad_arguments : LineKind::command, entry->verb, ""};
}

}  // namespace

std::vector<Request> parse_stream(std::string_view stream, std::size_t line_bytes_max) {
  std::vector<Request> requests;
  for (auto end = stream.find('\n'); end != std::string_view::npos; end = stream.find('\n')) {
    std::string_view line = stream.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);  // F1
    if (const auto request = parse_line(line, line_bytes_max)) requests.push_back(*request);
    stream.remove_prefix(end + 1);
  }
  return requests;
}

}  // namespace lockd::model
