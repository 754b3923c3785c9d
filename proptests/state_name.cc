#include "proptests/state_name.h"

#include <algorithm>
#include <utility>

namespace lockd::proptests {
namespace {

constexpr char first_letter = 'A';  // the digits of limits and the other signs are less
constexpr char end_of_holders = ':';

std::string joined(const std::vector<std::string>& profiles, const std::vector<std::string>& keys) {
  std::string text;
  for (const auto* parts : {&profiles, &keys}) {
    for (const std::string& part : *parts) (text += part) += ';';
  }
  return text;
}

/// Those of both kinds: the letters directly behind a slash.
void sort_holders(std::string& key) {
  const auto is_letter = [](char sign) { return sign >= first_letter; };
  for (auto begin = std::ranges::find(key, '/'); begin != key.end(); begin = std::find(begin, key.end(), '/')) {
    ++begin;
    std::sort(begin, std::find_if_not(begin, key.end(), is_letter));
  }
}

/// Whether they come in ascending order then.
bool sorts(const std::vector<std::size_t>& places, const std::vector<std::string>& profiles,
           std::vector<std::string>& sorted) {
  for (std::size_t i = 0; i < profiles.size(); ++i) sorted[places[i]] = profiles[i];
  return std::ranges::is_sorted(sorted);
}

}  // namespace

StateNames::StateNames(std::vector<SessionId> sessions, std::vector<Key> keys, Order order)
    : sessions_(std::move(sessions)), keys_(std::move(keys)), order_(order) {
  Places places;
  for (std::size_t i = 0; i < sessions_.size(); ++i) places.push_back(i);
  do {
    renamings_.push_back(places);
  } while (std::ranges::next_permutation(places).found);
}

std::string StateNames::name(const Lockstep& pair) const {
  const Description description = described(pair);
  return joined(description.profiles, keys_renamed(description, renamings_.front()));
}

// The least of the texts that renamings make. Their sessions' profiles come first and are sorted, so that only those
// renamings need be tried that sort them: most often one.
std::string StateNames::name_up_to_renaming(const Lockstep& pair) const {
  const Description description = described(pair);
  std::vector<std::string> profiles(sessions_.size());
  std::vector<std::string> least;
  for (const Places& places : renamings_) {
    if (!sorts(places, description.profiles, profiles)) continue;
    std::vector<std::string> keys = keys_renamed(description, places);
    std::ranges::sort(keys);
    if (least.empty() || keys < least) least = std::move(keys);
  }
  std::vector<std::string> sorted = description.profiles;
  std::ranges::sort(sorted);
  return joined(sorted, least);
}

StateNames::Description StateNames::described(const Lockstep& pair) const {
  const model::LockModel& model = pair.model();
  Description description;
  for (const SessionId session : sessions_) {
    const char fate = model.ended.contains(session) ? 'x' : pair.is_in_flight(session) ? '!' : '.';
    description.profiles.emplace_back(1, fate);
  }
  for (const Key& key : keys_) {
    std::string& text = description.keys.emplace_back();
    for (const LockKind kind : both_kinds) {
      text += '/';
      const auto state = model.locks.find({kind, key});
      if (state != model.locks.end()) describe_lock(state->second, text, description);
    }
  }
  // In which order a session came to hold and to wait depends on the names of the keys.
  for (std::string& profile : description.profiles) std::ranges::sort(profile);
  return description;
}

void StateNames::describe_lock(const model::LockState& state, std::string& text, Description& description) const {
  for (std::size_t i = 0; i < state.holders.size(); ++i) {
    const std::size_t place = place_of(state.holders[i].session);
    text += static_cast<char>(first_letter + static_cast<char>(place));
    description.profiles[place] += order_ == Order::merged ? 'h' : static_cast<char>('a' + static_cast<char>(i));
  }
  text += end_of_holders;
  for (const model::Waiter& waiter : state.line) {
    text += static_cast<char>(first_letter + static_cast<char>(place_of(waiter.session)));
    text += static_cast<char>('0' + waiter.limit);
  }
}

std::size_t StateNames::place_of(SessionId session) const {
  return static_cast<std::size_t>(std::ranges::find(sessions_, session) - sessions_.begin());
}

std::vector<std::string> StateNames::keys_renamed(const Description& description, const Places& places) const {
  std::vector<std::string> keys = description.keys;
  for (std::string& key : keys) {
    for (char& sign : key) {
      if (sign < first_letter) continue;
      const auto place = static_cast<std::size_t>(sign - first_letter);
      sign = static_cast<char>(first_letter + static_cast<char>(places[place]));
    }
    if (order_ == Order::merged) sort_holders(key);
  }
  return keys;
}

}  // namespace lockd::proptests
