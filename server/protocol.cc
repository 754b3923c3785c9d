#include "server/protocol.h"

#include <algorithm>

#include "engine/check.h"

namespace lockd::server {

const std::array<VerbRow, verb_count> verb_table = {{
    {Verb::get, "g", "g KEY", "take the exclusive lock KEY, or fail at once", Takes::text},
    {Verb::release, "r", "r KEY", "release the exclusive lock KEY", Takes::text},
    {Verb::inspect, "i", "i KEY", "is anybody holding the exclusive lock KEY?", Takes::text},
    {Verb::get_shared, "sg", "sg KEY", "take the shared lock KEY; how many hold it now?", Takes::text},
    {Verb::release_shared, "sr", "sr KEY", "release the shared lock KEY", Takes::text},
    {Verb::inspect_shared, "si", "si KEY", "how many hold the shared lock KEY?", Takes::text},
    {Verb::list_locks, "d", "d [KEY]", "list exclusive locks and their holders", Takes::text},
    {Verb::list_shared, "sd", "sd [KEY]", "list shared locks and their holders", Takes::text},
    {Verb::dump, "dump", "dump [shared]", "all locks and the addresses of their holders, as JSON", Takes::text},
    {Verb::counters, "q", "q", "the classic counters", Takes::words_ignored},
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

std::string_view without_outer_blanks(std::string_view bytes) {
  while (!bytes.empty() && is_blank(bytes.front())) bytes.remove_prefix(1);
  while (!bytes.empty() && is_blank(bytes.back())) bytes.remove_suffix(1);
  return bytes;
}

/// F11: what a browser's request, and the line after it, begin with.
bool is_browser(std::string_view verb) {
  constexpr std::array<std::string_view, 6> words = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "Host:"};
  return std::ranges::find(words, verb) != words.end();
}

}  // namespace

Parser::Result Parser::next(std::string_view input) {
  std::string().swap(scratch_);  // its memory too
  std::size_t consumed = 0;
  while (true) {
    const std::string_view rest = input.substr(consumed);
    LOCKD_CHECK(searched_ <= rest.size(), "the input begins with what was not consumed");
    const std::size_t line_feed = rest.find('\n', searched_);
    if (line_feed == std::string_view::npos) return {consumed + discard_if_too_long(rest), std::nullopt};
    consumed += line_feed + 1;
    searched_ = 0;
    if (const auto line = parse(rest.substr(0, line_feed))) return {consumed, line};
  }
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

/// A whole line without its LF; nothing if it is blank.
std::optional<ParsedLine> Parser::parse(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool too_long = discarding_ || line.size() > line_bytes_max_;
  discarding_ = false;
  if (too_long) return ParsedLine{LineKind::too_long};
  const std::string_view words = without_outer_blanks(line);
  if (words.empty()) return std::nullopt;
  return parse_words(words);
}

ParsedLine Parser::parse_words(std::string_view words) {
  const std::string_view name =
      words.substr(0, static_cast<std::size_t>(std::ranges::find_if(words, is_blank) - words.begin()));
  const std::string_view rest = without_outer_blanks(words.substr(name.size()));
  const auto* row = std::ranges::find(verb_table, name, &VerbRow::name);
  if (is_browser(name)) return {LineKind::browser};
  if (row == verb_table.end()) return {LineKind::unknown_verb, Verb::get, name};
  switch (row->takes) {
    case Takes::text:
      return {LineKind::command, row->verb, folded(rest)};
    case Takes::nothing:
      if (!rest.empty()) return {LineKind::bad_arguments, row->verb};
      return {LineKind::command, row->verb};
    case Takes::words_ignored:
      return {LineKind::command, row->verb};
  }
  LOCKD_CHECK(false, "each verb takes something that is known");
}

/// F3. Most keys have no blank, or single spaces only: they are not copied.
std::string_view Parser::folded(std::string_view words) {
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
