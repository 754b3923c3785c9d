#include "proptests/scenario_pattern.h"

#include <charconv>
#include <utility>

namespace lockd::proptests {
namespace {

constexpr std::string_view number_placeholder = "{number}";
constexpr std::string_view token_placeholder = "{token ";

// The number that `text` begins with, which is taken off it. None is larger than 2^64 - 1.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || (digits > 1 && text.front() == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

}  // namespace

ReplyPattern::ReplyPattern(std::string_view text) {
  Part part;
  while (!text.empty()) {
    const bool number = text.starts_with(number_placeholder);
    const auto end = text.starts_with(token_placeholder) ? text.find('}') : std::string_view::npos;
    if (number || end != std::string_view::npos) {
      if (!number) part.token_name = text.substr(token_placeholder.size(), end - token_placeholder.size());
      parts_.push_back(std::exchange(part, {}));
      text.remove_prefix(number ? number_placeholder.size() : end + 1);
    } else {
      part.literal += text.front();
      text.remove_prefix(1);
    }
  }
  parts_.push_back(std::move(part));
}

std::optional<std::vector<NamedToken>> ReplyPattern::match(std::string_view line) const {
  std::vector<NamedToken> shown;
  for (const Part& part : parts_) {
    if (!line.starts_with(part.literal)) return std::nullopt;
    line.remove_prefix(part.literal.size());
    if (&part == &parts_.back()) break;
    const auto number = take_number(line);
    if (!number) return std::nullopt;
    if (!part.token_name.empty()) shown.push_back({part.token_name, *number});
  }
  if (!line.empty()) return std::nullopt;
  return shown;
}

std::string ReplyPattern::filled(const std::function<std::uint64_t(const std::string&)>& token_of,
                                 std::uint64_t number) const {
  std::string line;
  for (const Part& part : parts_) {
    line += part.literal;
    if (&part == &parts_.back()) break;
    line += std::to_string(part.token_name.empty() ? number : token_of(part.token_name));
  }
  return line;
}

std::optional<std::string> NamedTokens::see(const std::vector<NamedToken>& shown) {
  NamedTokens with = *this;
  for (const NamedToken& token : shown) {
    if (auto wrong = with.see_one(token)) return wrong;
  }
  *this = std::move(with);
  return std::nullopt;
}

std::optional<std::string> NamedTokens::see_one(const NamedToken& shown) {
  constexpr std::uint64_t token_max = (std::uint64_t{1} << 53) - 1;
  const auto& [name, token] = shown;
  const std::string what = "T1: token " + name + " is " + std::to_string(token);
  if (token == 0 || token > token_max) return what + ", out of range";
  const auto [named, is_new_name] = tokens_.try_emplace(name, token);
  if (named->second != token) return what + ", and was " + std::to_string(named->second);
  const auto [known, is_new_token] = names_.try_emplace(token, name);
  if (known->second != name) return what + ", and so is token " + known->second;
  return std::nullopt;
}

std::optional<std::string> NamedTokens::not_rising(const std::vector<std::string>& names) const {
  std::uint64_t last = 0;
  for (const std::string& name : names) {
    const auto found = tokens_.find(name);
    if (found == tokens_.end()) return "token " + name + " was not shown";
    if (found->second <= last) return "T1: token " + name + " is not larger than the one before it";
    last = found->second;
  }
  return std::nullopt;
}

}  // namespace lockd::proptests
