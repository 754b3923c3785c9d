// Matches bytes with the parts, one after the other. How many bytes a part takes is known beforehand, or ends at an LF,
// so that a search is needed only inside of a part whose pieces come in any order.
#include "model/expected_output.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace lockd::model {
namespace {

// Where a part stopped to match, counted from its first byte, and what would have matched there.
struct Failure {
  std::size_t offset;
  std::string expected;
};

// Pieces that are still to come, by length.
using Pieces = std::map<std::size_t, std::multiset<std::string, std::less<>>>;

std::vector<std::string> fitting(std::string_view text, const Pieces& pieces) {
  std::vector<std::string> fit;
  for (const auto& [length, alike] : pieces) {
    if (const auto beginning = text.substr(0, length); alike.contains(beginning)) fit.emplace_back(beginning);
  }
  return fit;
}

void remove(Pieces& pieces, const std::string& piece) {
  auto& alike = pieces.at(piece.size());
  alike.erase(alike.find(piece));
  if (alike.empty()) pieces.erase(piece.size());
}

std::string described(const Pieces& pieces) {
  std::size_t number = 0;
  for (const auto& [length, alike] : pieces) number += alike.size();
  const std::string& example = *pieces.begin()->second.begin();
  return (number == 1 ? "" : "one of " + std::to_string(number) + " pieces, such as ") +
         ExpectedOutput::escaped(example);
}

// Whether `text` begins, at `offset`, with all the pieces in some order. One piece may begin with another (of two keys
// `a` and `a: b`, say): where several fit, each is tried. If none leads to the end, `failure` is the furthest that it
// went.
bool match_pieces(std::string_view text, std::size_t offset, Pieces pieces, std::optional<Failure>& failure) {
  while (!pieces.empty()) {
    const auto fit = fitting(text.substr(offset), pieces);
    if (fit.size() > 1) {
      return std::ranges::any_of(fit, [&](const std::string& piece) {
        Pieces others = pieces;
        remove(others, piece);
        return match_pieces(text, offset + piece.size(), std::move(others), failure);
      });
    }
    if (fit.empty()) {
      if (!failure || offset > failure->offset) failure = {offset, described(pieces)};
      return false;
    }
    remove(pieces, fit.front());
    offset += fit.front().size();
  }
  return true;
}

// How many digits the number has that `text` begins with, as std::to_string writes it; 0 if it begins with none.
std::size_t digits_of(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 1 && text.front() == '0' ? 0 : digits;
}

// What is beyond all tokens comes out as the largest number.
std::uint64_t value_of(std::string_view digits) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  return digits.size() > 19 ? max : std::stoull(std::string(digits));
}

// A line of `list` as a server sent it, without its LF.
struct SentListLine {
  Lock lock;
  bool waiting;
  std::string holder;
  std::uint64_t token;
};

// MODE STATE AGE_MS TOKEN HOLDER KEY, where only KEY can have blanks.
std::optional<SentListLine> parse_list_line(std::string_view line) {
  std::vector<std::string> fields;
  for (int i = 0; i < 5; ++i) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    fields.emplace_back(line.substr(0, blank));
    line.remove_prefix(blank + 1);
  }
  const auto is_number = [](const std::string& word) { return !word.empty() && digits_of(word) == word.size(); };
  const bool right = (fields[0] == "x" || fields[0] == "s") && (fields[1] == "held" || fields[1] == "waiting") &&
                     is_number(fields[2]) && is_number(fields[3]);
  if (!right) return std::nullopt;
  const LockKind kind = fields[0] == "x" ? LockKind::exclusive : LockKind::shared;
  return SentListLine{{kind, std::string(line)}, fields[1] == "waiting", fields[4], value_of(fields[3])};
}

std::string described(const ExpectedOutput::ListLine& line) {
  return ExpectedOutput::escaped(std::string(line.lock.kind == LockKind::exclusive ? "x " : "s ") +
                                 (line.waiting ? "waiting AGE 0 " : "held AGE TOKEN ") + line.holder + " " +
                                 line.lock.key);
}

}  // namespace

// One overload for each kind of part. Each takes its bytes off the front of `rest`, which it may leave as it is on
// failure.
struct ExpectedOutput::Matcher {
  std::string_view& rest;
  std::vector<ShownToken>& shown;

  std::optional<Failure> operator()(const std::string& bytes) {
    const auto actual = rest.substr(0, bytes.size());
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(bytes, actual).in1 - bytes.begin());
    if (same < bytes.size()) return Failure{same, escaped(bytes.substr(same))};
    rest.remove_prefix(bytes.size());
    return std::nullopt;
  }

  // A separator is put behind the last piece too, and behind the bytes, so that all pieces are alike.
  std::optional<Failure> operator()(const AnyOrder& part) {
    if (auto failure = (*this)(part.opening)) return failure;
    const auto& [pieces, opening, separator, closing] = part;
    Pieces separated;
    std::size_t length = 0;
    for (const std::string& piece : pieces) {
      separated[piece.size() + separator.size()].insert(piece + separator);
      length += piece.size() + separator.size();
    }
    if (!pieces.empty()) length -= separator.size();
    std::string body{rest.substr(0, length)};
    if (!pieces.empty() && body.size() == length) body += separator;
    std::optional<Failure> failure;
    if (!match_pieces(body, 0, std::move(separated), failure)) {
      failure->offset += opening.size();
      return failure;
    }
    rest.remove_prefix(length);
    failure = (*this)(closing);
    if (failure) failure->offset += opening.size() + length;
    return failure;
  }

  std::optional<Failure> operator()(const Lines& part) {
    std::size_t offset = 0;
    for (const std::string& beginning : part.beginnings) {
      const auto line = rest.substr(0, rest.find('\n'));
      const bool whole = line.size() < rest.size();
      const bool begins_so =
          line.starts_with(beginning) && (line.size() == beginning.size() || line[beginning.size()] == ' ');
      if (!whole || !begins_so) {
        return Failure{offset, "a line that begins with " + escaped(beginning)};
      }
      offset += line.size() + 1;
      rest.remove_prefix(line.size() + 1);
    }
    return std::nullopt;
  }

  std::optional<Failure> operator()(const Token& part) {
    const auto digits = digits_of(rest);
    if (digits == 0) return Failure{0, "a token"};
    const std::string_view number = rest.substr(0, digits);
    rest.remove_prefix(digits);
    shown.push_back({part.lock, part.grant, value_of(number)});
    auto failure = (*this)(part.text);
    if (failure) failure->offset += digits;
    return failure;
  }

  std::optional<Failure> operator()(const List& part) {
    std::map<Lock, std::vector<ListLine>> missing;
    for (const auto& key : part.keys) missing[key.front().lock] = key;
    std::vector<ListLine> due;  // of the key whose lines are coming, the last one first
    const auto before = rest.size();
    const auto failure = [&](const std::string& expected) { return Failure{before - rest.size(), expected}; };
    while (!rest.starts_with("END\n")) {
      const auto end = rest.find('\n');
      const auto sent = end == std::string_view::npos ? std::nullopt : parse_list_line(rest.substr(0, end));
      if (!sent) return failure("a line of `list`, or END");
      if (due.empty()) {
        const auto found = missing.find(sent->lock);
        if (found == missing.end()) return failure("no line of this key, or no more of them");
        due.assign(found->second.rbegin(), found->second.rend());
        missing.erase(found);
      }
      const ListLine& line = due.back();
      const bool same = sent->lock == line.lock && sent->waiting == line.waiting && sent->holder == line.holder &&
                        (sent->token == 0) == line.waiting;
      if (!same) return failure(described(line));
      if (!line.waiting) shown.push_back({line.lock, line.grant, sent->token});
      due.pop_back();
      rest.remove_prefix(end + 1);
    }
    if (!due.empty()) return failure(described(due.back()));
    if (!missing.empty()) return failure(described(missing.begin()->second.front()));
    return (*this)(std::string("END\n"));
  }

  std::optional<Failure> operator()(const Counters& part) {
    const auto before = rest.size();
    for (const auto& [name, number] : part.counters) {
      auto failure = (*this)(name + ": ");
      const auto digits = failure ? 0 : digits_of(rest);
      if (!failure && (digits == 0 || (number && rest.substr(0, digits) != std::to_string(*number)))) {
        failure = Failure{0, name + ": " + (number ? std::to_string(*number) : "a number")};
      }
      if (!failure) rest.remove_prefix(digits);
      const auto done = before - rest.size();
      if (!failure) failure = (*this)("\n");
      if (failure) return Failure{done + failure->offset, failure->expected};
    }
    const auto done = before - rest.size();
    auto failure = (*this)("END\n");
    if (failure) failure->offset += done;
    return failure;
  }
};

// One text behind another is one text.
void ExpectedOutput::add(std::string bytes) {
  auto* const before = parts_.empty() ? nullptr : std::get_if<std::string>(&parts_.back());
  if (before != nullptr) {
    *before += bytes;
  } else if (!bytes.empty()) {
    parts_.emplace_back(std::move(bytes));
  }
}

void ExpectedOutput::add_any_order(std::vector<std::string> pieces, std::string opening, std::string separator,
                                   std::string closing) {
  if (pieces.size() == 1) return add(opening + pieces.front() + closing);
  parts_.emplace_back(AnyOrder{std::move(pieces), std::move(opening), std::move(separator), std::move(closing)});
}

void ExpectedOutput::add_lines(std::vector<std::string> beginnings) {
  parts_.emplace_back(Lines{std::move(beginnings)});
}

void ExpectedOutput::add_token(const Lock& lock, std::uint64_t grant, std::string text) {
  parts_.emplace_back(Token{lock, grant, std::move(text)});
}

void ExpectedOutput::add_list(std::vector<std::vector<ListLine>> keys) { parts_.emplace_back(List{std::move(keys)}); }

void ExpectedOutput::add_counters(std::vector<std::pair<std::string, std::optional<std::uint64_t>>> counters) {
  parts_.emplace_back(Counters{std::move(counters)});
}

void ExpectedOutput::append(ExpectedOutput more) {
  if (parts_.empty()) return more.parts_.swap(parts_);
  for (auto& part : more.parts_) {
    if (auto* const text = std::get_if<std::string>(&part)) {
      add(std::move(*text));
    } else {
      parts_.push_back(std::move(part));
    }
  }
}

ExpectedOutput::Match ExpectedOutput::match(std::string_view actual) const {
  constexpr std::size_t shown = 80;
  auto rest = actual;
  std::vector<ShownToken> tokens;
  std::optional<Failure> failure;
  std::size_t offset = 0;
  for (const auto& part : parts_) {
    offset = actual.size() - rest.size();
    failure = std::visit(Matcher{rest, tokens}, part);
    if (failure) break;
  }
  if (!failure) {
    if (rest.empty()) return {std::nullopt, std::move(tokens)};
    offset = actual.size() - rest.size();
    failure = Failure{0, "nothing more"};
  }
  offset += failure->offset;
  const std::size_t context = offset - std::min<std::size_t>(offset, shown / 2);
  return {"at byte " + std::to_string(offset) + ": expected " + failure->expected.substr(0, 3 * shown) + ", actual " +
              escaped(actual.substr(offset, shown)) + ", after " + escaped(actual.substr(context, offset - context)),
          std::move(tokens)};
}

std::string ExpectedOutput::escaped(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view named = "\\\r\n\t";
  std::string text = "\"";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (const auto name = named.find(byte); name != std::string_view::npos) {
      text += {'\\', "\\rnt"[name]};
    } else if (value < 0x20 || value >= 0x7F) {
      text += {'\\', 'x', digits[value / 16], digits[value % 16]};
    } else {
      text += byte;
    }
  }
  return text + '"';
}

}  // namespace lockd::model
