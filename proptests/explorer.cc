#include "proptests/explorer.h"

#include <algorithm>
#include <utility>

#include "proptests/found_scenario.h"
#include "proptests/last_words.h"

namespace lockd::proptests {

Explorer::Explorer(const Lockstep::Config& config, std::vector<Key> keys, Verbs verbs, TableMaker maker)
    : config_(config),
      start_(config, maker),
      keys_(std::move(keys)),
      sessions_(config.sessions),
      verbs_(verbs),
      names_(sessions_, keys_) {
  for (std::size_t i = 0; i < sessions_.size(); ++i) add_session(i);
}

ExplorerReport Explorer::search_sequences(const Extent& extent) {
  report_ = {};
  extent_ = extent;
  path_.clear();
  Lockstep pair(start_);
  search_from(pair, extent.depth, {});
  return report_;
}

ExplorerReport Explorer::search_states(const StatesExtent& extent) {
  constexpr std::size_t progress_interval = 1000;
  report_ = {};
  extent_ = {};
  names_ = StateNames(sessions_, keys_, extent.order);
  known_ = {name(start_, extent.up_to_renaming)};
  ways_ = {{}};
  for (std::size_t next = 0; next < ways_.size() && next < extent.states_max && !report_.difference; ++next) {
    if (extent.on_progress && next % progress_interval == 0) extent.on_progress(next, ways_.size());
    search_state(next, extent.up_to_renaming);
  }
  report_.states = known_.size();
  return report_;
}

std::vector<Event> Explorer::way_to(std::size_t state) const {
  std::vector<Event> way;
  for (; state != 0; state = ways_[state].from) way.push_back(candidates_[ways_[state].candidate].event);
  std::ranges::reverse(way);
  return way;
}

std::vector<Event> Explorer::events() const {
  std::vector<Event> events;
  for (const Candidate& candidate : candidates_) events.push_back(candidate.event);
  return events;
}

void Explorer::add_session(std::size_t index) {
  const SessionId session = sessions_[index];
  const auto add = [&](Event event, std::size_t keys_used) {
    event.session = session;
    candidates_.push_back({std::move(event), {index + 1, keys_used}});
  };
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    for (Event& event : requests()) {
      event.key = keys_[key];
      add(std::move(event), key + 1);
    }
  }
  if (verbs_ == Verbs::all) {
    add({.verb = Verb::release_all}, 0);
    add({.verb = Verb::release_all, .budget = 1}, 0);
    add({.verb = Verb::cancel}, 0);
    add({.what = What::times_out}, 0);
    add({.what = What::learns}, 0);
  }
  add({.what = What::ends, .budget = 1}, 0);
  add({.what = What::ends}, 0);
}

std::vector<Event> Explorer::requests() const {
  std::vector<Event> found = {
      {.verb = Verb::get}, {.verb = Verb::release}, {.verb = Verb::get_shared}, {.verb = Verb::release_shared}};
  if (verbs_ == Verbs::classic) return found;
  const std::vector<Event> extended = {
      {.verb = Verb::get_wait, .milliseconds = 1000},
      {.verb = Verb::get_wait, .milliseconds = 0},
      {.verb = Verb::get_limited, .limit = 1},
      {.verb = Verb::get_limited, .limit = 2},
      {.verb = Verb::get_limited_wait, .limit = 1, .milliseconds = 1000},
      {.verb = Verb::get_limited_wait, .limit = 2, .milliseconds = 1000},
      {.verb = Verb::get_limited_wait, .limit = 1, .milliseconds = 0},
  };
  found.insert(found.end(), extended.begin(), extended.end());
  return found;
}

bool Explorer::is_quiet(const Lockstep& pair, const Event& event) {
  const model::LockModel& model = pair.model();
  const SessionId session = event.session;
  switch (event.what) {
    case What::learns:
      return !pair.is_in_flight(session);
    case What::times_out:
      return !model.wait_of(session);
    case What::ends:
      return model.ended.contains(session) && model.locks_of(session).empty();
    case What::asks:
      break;
  }
  if (model.ended.contains(session)) return true;
  if (event.verb == Verb::cancel) return !model.wait_of(session);
  if (pair.is_busy(session)) return true;
  if (event.verb == Verb::release_all) return model.locks_of(session).empty();
  const model::SessionAsks request{session, event.verb, event.key, event.limit, event.milliseconds};
  return model::step(model, request).state == model;
}

bool Explorer::is_searched(const Candidate& candidate, const Used& used) const {
  if (!extent_.up_to_renaming) return true;
  return candidate.uses.sessions <= used.sessions + 1 && candidate.uses.keys <= used.keys + 1;
}

std::vector<const Explorer::Candidate*> Explorer::others_after_quiet_ones(Lockstep& pair, const Used& used,
                                                                          Looks looks) {
  const Lockstep before(pair);
  std::vector<const Candidate*> others;
  const Event* last_quiet = nullptr;
  for (const Candidate& candidate : candidates_) {
    if (!is_searched(candidate, used)) continue;
    if (!is_quiet(before, candidate.event)) {
      others.push_back(&candidate);
      continue;
    }
    ++report_.quiet;
    last_quiet = &candidate.event;
    if (!act(pair, *last_quiet)) return {};
    if (looks == Looks::after_each && !look(pair, *last_quiet)) return {};
  }
  if (looks == Looks::after_all && last_quiet != nullptr && !look(pair, *last_quiet)) return {};
  return others;
}

bool Explorer::is_in_part(const Event& event, std::size_t number) const {
  if (!path_.empty()) return true;
  if (extent_.first_number != 0 && extent_.first_number != number) return false;
  return extent_.first_session == SessionId::nobody || extent_.first_session == event.session;
}

void Explorer::search_from(Lockstep& pair, int depth, const Used& used) {
  std::unordered_set<std::string> seen;
  std::size_t number = 0;
  for (const Candidate* candidate : others_after_quiet_ones(pair, used, Looks::after_each)) {
    if (!is_in_part(candidate->event, ++number)) continue;
    Lockstep fork(pair);
    if (!act(fork, candidate->event) || !look(fork, candidate->event)) return;
    if (depth == 1 || (extent_.merges && !seen.insert(names_.name(fork)).second)) continue;
    path_.push_back(candidate->event);
    const Used now{std::max(used.sessions, candidate->uses.sessions), std::max(used.keys, candidate->uses.keys)};
    search_from(fork, depth - 1, now);
    path_.pop_back();
    if (report_.difference) return;
  }
}

void Explorer::search_state(std::size_t state, bool up_to_renaming) {
  Lockstep pair(start_);
  path_ = way_to(state);
  for (const Event& event : path_) pair.act(event);  // was compared when it was found
  for (const Candidate* candidate : others_after_quiet_ones(pair, {}, Looks::after_all)) {
    Lockstep fork(pair);
    if (!act(fork, candidate->event) || !look(fork, candidate->event)) return;
    if (!known_.insert(name(fork, up_to_renaming)).second) continue;
    for (const std::string& violation : fork.model().violations()) {
      report_.difference = scenario(candidate->event) + "# the model itself: " + violation;
    }
    ways_.push_back({static_cast<std::uint32_t>(state), static_cast<std::uint32_t>(candidate - candidates_.data())});
  }
}

bool Explorer::act(Lockstep& pair, const Event& event) {
  const LastWords words([&] { return say_crash(scenario(event)); });
  ++report_.events;
  if (const auto difference = pair.act(event)) report_.difference = scenario(event) + "# " + *difference;
  return !report_.difference;
}

bool Explorer::look(Lockstep& pair, const Event& last) {
  const LastWords words([&] { return say_crash(scenario(last)); });
  const auto difference = difference_at(pair);
  if (difference) report_.difference = scenario(last) + "# " + *difference;
  return !difference;
}

std::optional<std::string> Explorer::difference_at(Lockstep& pair) const {
  if (auto difference = pair.look()) return difference;
  for (const Key& key : keys_) {
    if (auto difference = pair.look_at(key, sessions_)) return difference;
    if (verbs_ == Verbs::classic) continue;
    if (auto difference = pair.look_at_line(key, sessions_)) return difference;
  }
  return std::nullopt;
}

std::string Explorer::scenario(const Event& last) const {
  std::vector<Event> events = path_;
  events.push_back(last);
  return scenario_of(config_, events, WakeUps::as_told) +
         "# (ahead of each of these, all events that change nothing were tried)\n";
}

std::string Explorer::name(const Lockstep& pair, bool up_to_renaming) const {
  return up_to_renaming ? names_.name_up_to_renaming(pair) : names_.name(pair);
}

}  // namespace lockd::proptests
