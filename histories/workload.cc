#include "histories/workload.h"

#include <algorithm>

namespace lockd::histories {
namespace {

// By act, in its order; each client doubles some and leaves out others.
constexpr std::array<unsigned, 15> usual_weights = {14, 10, 26, 7, 5, 10, 6, 8, 8, 22, 6, 3, 7, 1, 2};
constexpr std::size_t asked_max = 12;  // then a client releases what it got first

bool is_release(Act act) { return act == Act::release || act == Act::release_shared; }

std::uint32_t draw_milliseconds(Random& random) {
  if (below(random, 8) == 0) return 0;
  return below(random, 4) == 0 ? 5 + below(random, 20) : 1 + below(random, 4);
}

}  // namespace

const std::vector<std::string>& all_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < hot_keys; ++i) all.push_back("h" + std::to_string(i));
    for (std::uint32_t i = 0; i < cold_keys; ++i) all.push_back("c" + std::to_string(i));
    return all;
  }();
  return keys;
}

std::uint32_t below(Random& random, std::uint32_t limit) {
  return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random);
}

Habits::Habits(Random& random)
    : weights_(usual_weights.begin(), usual_weights.end()), batch_max_(1U << below(random, 4)) {
  for (unsigned& weight : weights_) {
    if (below(random, 6) == 0) weight *= 3;
    if (below(random, 8) == 0) weight = 0;
  }
  auto& releases = weights_[static_cast<std::size_t>(Act::release)];  // who never releases stops the others
  releases = std::max(releases, usual_weights[static_cast<std::size_t>(Act::release)]);
  auto& shared_releases = weights_[static_cast<std::size_t>(Act::release_shared)];
  shared_releases = std::max(shared_releases, usual_weights[static_cast<std::size_t>(Act::release_shared)]);
  for (std::uint32_t i = 0; i < 3; ++i) favourites_.push_back(below(random, hot_keys));
}

Operation Habits::draw(Random& random) {
  std::discrete_distribution<int> acts(weights_.begin(), weights_.end());
  Operation operation{.act = static_cast<Act>(acts(random))};
  if (asked_[0].size() > asked_max) operation.act = Act::release;
  if (asked_[1].size() > asked_max) operation.act = Act::release_shared;
  if (has_key(operation.act)) operation.key = draw_key(random, operation.act);
  if (operation.act == Act::get_limited || operation.act == Act::get_limited_wait)
    operation.limit = 1 + below(random, 4);
  if (operation.act == Act::get_wait || operation.act == Act::get_limited_wait)
    operation.milliseconds = draw_milliseconds(random);
  if (operation.act == Act::release_all) asked_ = {};
  return operation;
}

std::size_t Habits::draw_batch(Random& random) const { return 1 + below(random, batch_max_); }

// Three times in four a release, or a look at a token, is of a key that was asked for.
std::uint32_t Habits::draw_key(Random& random, Act act) {
  auto& asked = asked_[static_cast<std::size_t>(kind_of(act))];
  const bool concerns_own = is_release(act) || act == Act::token || act == Act::token_shared;
  if (concerns_own && !asked.empty() && below(random, 8) > 0) {
    const std::size_t i =
        below(random, 2) == 0 ? asked.size() - 1 : below(random, static_cast<std::uint32_t>(asked.size()));
    const std::uint32_t key = asked[i];
    if (is_release(act)) asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(i));
    return key;
  }
  const bool hot = below(random, 4) > 0;
  const std::uint32_t key = hot ? favourites_[below(random, static_cast<std::uint32_t>(favourites_.size()))]
                                : hot_keys + below(random, cold_keys);
  if (is_get(act)) asked.push_back(key);
  return key;
}

}  // namespace lockd::histories
