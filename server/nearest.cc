#include "server/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace lockd::server {

namespace {

constexpr std::size_t slips_max = 2;

/// How many letters must be put in, left out or changed to make one of the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
  const auto slips = [word](const std::string& other) { return distance(word, other); };
  const auto found = std::ranges::min_element(words, {}, slips);
  const bool is_near = found != words.end() && slips(*found) <= slips_max;
  return is_near ? *found : std::string();
}

}  // namespace lockd::server
