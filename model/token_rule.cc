// A token is compared with those of the same lock that were granted just before and just after it.
#include "model/token_rule.h"

#include <iterator>

namespace lockd::model {

std::optional<std::string> TokenRule::see(const ShownToken& shown) {
  constexpr std::uint64_t token_max = (std::uint64_t{1} << 53) - 1;
  const auto& [lock, grant, token] = shown;
  const std::string what = "T1: token " + std::to_string(token) + " of " + lock.key;
  if (token == 0 || token > token_max) return what + " is out of range";
  auto& of_lock = tokens_[lock];
  const auto known = of_lock.find(grant);
  if (known != of_lock.end()) {
    if (known->second == token) return std::nullopt;
    return what + " was " + std::to_string(known->second) + " before";
  }
  if (seen_.contains(token)) return what + " was given before";
  const auto later = of_lock.upper_bound(grant);
  if (later != of_lock.end() && later->second < token) return what + " is larger than a later one";
  if (later != of_lock.begin() && std::prev(later)->second > token) return what + " is smaller than an earlier one";
  seen_.insert(token);
  of_lock[grant] = token;
  return std::nullopt;
}

std::optional<std::string> TokenRule::see(const std::vector<ShownToken>& all) {
  for (const ShownToken& shown : all) {
    if (auto broken = see(shown)) return broken;
  }
  return std::nullopt;
}

}  // namespace lockd::model
