#include "client/lockctl/suggestion.h"

#include <algorithm>
#include <numeric>

namespace lockd::lockctl {

namespace {

constexpr std::size_t typed_bytes_max = 64;  // longer words are no slip of the finger, and cost their square

}  // namespace

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> costs(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  std::iota(costs[0].begin(), costs[0].end(), 0);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    costs[i][0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t changed = from[i - 1] == to[j - 1] ? 0 : 1;
      costs[i][j] = std::min({costs[i - 1][j] + 1, costs[i][j - 1] + 1, costs[i - 1][j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) costs[i][j] = std::min(costs[i][j], costs[i - 2][j - 2] + 1);
    }
  }
  return costs[from.size()][to.size()];
}

std::string nearest(std::string_view typed, const std::vector<std::string>& words) {
  if (typed.empty() || typed.size() > typed_bytes_max) return {};
  std::string best;
  std::size_t best_distance = std::min<std::size_t>(3, (std::max<std::size_t>(typed.size(), 4) + 1) / 2);
  for (const std::string& word : words) {
    const std::size_t distance = edit_distance(typed, word);
    if (distance >= best_distance || distance >= word.size()) continue;
    best = word;
    best_distance = distance;
  }
  if (!best.empty()) return best;
  const auto begins = [typed](const std::string& word) { return word.starts_with(typed); };
  return std::ranges::count_if(words, begins) == 1 ? *std::ranges::find_if(words, begins) : std::string();
}

}  // namespace lockd::lockctl
