#include "histories/search.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "histories/lock_state.h"

namespace lockd::histories {
namespace {

using Session = LockState::Session;  // here an index of LockHistory::sessions

// A stretch of one session's events.
struct Stretch {
  Session session;
  std::size_t begin, end;  // indices of its events
};

struct Window {
  std::vector<Stretch> stretches;
  Moment from = 0, to = 0;
};

// Cut where everything before is over before anything after begins.
std::vector<Window> windows_of(const LockHistory& lock) {
  struct Interval {
    Moment from, to;
    Session session;
    std::size_t event;
  };
  std::vector<Interval> intervals;
  for (Session session = 0; session < lock.sessions.size(); ++session) {
    const SessionEvents& events = lock.sessions[session];
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool waits = events[i].part == Part::leaves;  // or is about to: no cut between the two
      const Moment from = waits ? events[i - 1].earliest : events[i].earliest;
      intervals.push_back({from, events[i].latest, session, i});
    }
  }
  std::ranges::sort(intervals, {}, [](const Interval& i) { return std::tuple(i.from, i.session, i.event); });
  std::vector<Window> windows;
  std::unordered_map<Session, std::size_t> place;  // of a session's stretch in the last window
  for (const auto& [from, to, session, event] : intervals) {
    if (windows.empty() || windows.back().to < from) {
      windows.push_back({{}, from, to});
      place.clear();
    }
    Window& window = windows.back();
    window.to = std::max(window.to, to);
    const auto [at, is_new] = place.try_emplace(session, window.stretches.size());
    if (is_new) window.stretches.push_back({session, event, event});
    window.stretches[at->second].end = event + 1;
  }
  return windows;
}

// What is carried from window to window, and changes with each event.
struct Place {
  std::vector<std::size_t> next;  // of each stretch: the event that comes next
  LockState state;
  std::size_t tokens = 0;  // how many grants had a known token
};

struct Choice {
  std::size_t stretch;
  bool ends;  // the session ends here, what stands before that being dropped
  Moment expected;
};

// What an event would do where the search is.
enum class Effect : std::uint8_t { contradiction, none, change };

class WindowSearch {
 public:
  WindowSearch(const History& history, const LockHistory& lock, const std::vector<std::uint64_t>& tokens,
               const Window& window, std::size_t states_max)
      : history_(history), lock_(lock), tokens_(tokens), window_(window), states_max_(states_max) {
    for (std::size_t i = 0; i < window.stretches.size(); ++i) stretch_of_[window.stretches[i].session] = i;
  }

  std::size_t states() const { return seen_.size(); }

  // Goes on from `place`, which moves to the end of the window if the verdict is ok.
  Verdict run(Place& place) {
    place.next.clear();
    for (const Stretch& stretch : window_.stretches) place.next.push_back(stretch.begin);
    std::vector<std::pair<Place, std::vector<Choice>>> path;
    if (!arrive(place)) return Verdict::illegal;
    if (is_over(place)) return Verdict::ok;
    path.emplace_back(place, choices(place));
    while (!path.empty()) {
      auto& [here, left] = path.back();
      if (left.empty()) {
        path.pop_back();
        continue;
      }
      Place there = here;
      const Choice choice = left.back();
      left.pop_back();
      if (!take(there, choice) || !arrive(there)) continue;
      if (is_over(there)) {
        place = std::move(there);
        return Verdict::ok;
      }
      if (seen_.size() > states_max_) return Verdict::undecided;
      auto onward = choices(there);
      path.emplace_back(std::move(there), std::move(onward));
    }
    return Verdict::illegal;
  }

 private:
  const Event* next_event(const Place& place, std::size_t i) const {
    const Stretch& stretch = window_.stretches[i];
    return place.next[i] == stretch.end ? nullptr : &lock_.sessions[stretch.session][place.next[i]];
  }

  const Operation& operation_of(const Event& event) const { return history_.operations[event.operation]; }

  // No event that begins later than this can come next: something has to be over by then.
  Moment limit(const Place& place) const {
    Moment first = never;
    for (std::size_t i = 0; i < place.next.size(); ++i) {
      if (const Event* const event = next_event(place, i)) first = std::min(first, event->latest);
    }
    return first;
  }

  // Takes what can be taken without a choice. False where the search was before.
  bool arrive(Place& place) {
    for (bool has_moved = true; has_moved;) {
      has_moved = false;
      const Moment by = limit(place);
      for (std::size_t i = 0; i < place.next.size(); ++i) {
        const Event* const event = next_event(place, i);
        if (event == nullptr || event->earliest > by) continue;
        if (!event->is_answered && !is_end(operation_of(*event).act)) continue;
        if (effect(place, i, *event) != Effect::none) continue;
        place.next[i] += event->part == Part::arrives ? 2 : 1;
        has_moved = true;
      }
    }
    std::string bytes;
    for (std::size_t i = 0; i < place.next.size(); ++i) {
      const auto done = static_cast<std::uint32_t>(place.next[i] - window_.stretches[i].begin);
      bytes.append(reinterpret_cast<const char*>(&done), sizeof done);
    }
    place.state.append_bytes(bytes);
    return seen_.insert(std::move(bytes)).second;
  }

  bool is_over(const Place& place) const {
    for (std::size_t i = 0; i < place.next.size(); ++i) {
      const Event* const event = next_event(place, i);
      if (event != nullptr && event->latest != never) return false;
    }
    return true;
  }

  // The likeliest last.
  std::vector<Choice> choices(const Place& place) const {
    std::vector<Choice> all;
    const Moment by = limit(place);
    for (std::size_t i = 0; i < place.next.size(); ++i) {
      const Event* const event = next_event(place, i);
      if (event == nullptr) continue;
      if (event->earliest <= by && effect(place, i, *event) != Effect::contradiction)
        all.push_back({i, false, event->expected});
      const Event* const end = end_of(i);
      if (!event->is_answered && end != nullptr && end != event && end->earliest <= by)
        all.push_back({i, true, end->expected});
    }
    std::ranges::stable_sort(all, std::ranges::greater(), &Choice::expected);
    return all;
  }

  const Event* end_of(std::size_t i) const {
    const Event& last = lock_.sessions[window_.stretches[i].session].back();
    return is_end(operation_of(last).act) ? &last : nullptr;
  }

  Effect effect(const Place& place, std::size_t i, const Event& event) const;
  Effect effect_of_get(const Place& place, Session session, const Event& event) const;
  bool take(Place& place, const Choice& choice) const;
  bool take_get(Place& place, std::size_t i, const Event& event) const;
  bool grant(Place& place, const Event& event, std::size_t holders) const;
  bool hand_over(Place& place, const std::vector<LockState::Grant>& grants) const;

  const History& history_;
  const LockHistory& lock_;
  const std::vector<std::uint64_t>& tokens_;
  const Window& window_;
  std::size_t states_max_;
  std::unordered_map<Session, std::size_t> stretch_of_;
  std::unordered_set<std::string> seen_;
};

// X1, H1, W1, C1, C2.
std::uint32_t limit_of(const Operation& get) {
  if (get.act == Act::get_shared) return LockState::no_limit;
  return kind_of(get.act) == LockKind::shared ? get.limit : 1;
}

bool heeds_line(const Operation& get) { return get.act != Act::get_shared; }

// Where the reply says with how many: a shared lock's.
bool fits(const Operation& get, std::size_t holders) {
  return !get.is_answered() || get.outcome == Outcome::lock_get_success ||
         (get.outcome == Outcome::shared_get_success && get.number == holders);
}

bool is_refused(Outcome outcome) {
  return outcome == Outcome::lock_get_failure || outcome == Outcome::shared_get_failure;
}

bool is_timeout(Outcome outcome) {
  return outcome == Outcome::lock_get_timeout || outcome == Outcome::shared_get_timeout;
}

Effect none_if(bool fits_answer) { return fits_answer ? Effect::none : Effect::contradiction; }

Effect WindowSearch::effect_of_get(const Place& place, Session session, const Event& event) const {
  const Operation& get = operation_of(event);
  const LockState& state = place.state;
  if (state.is_held_by(session)) return fits(get, state.holders()) ? Effect::none : Effect::contradiction;
  if (state.can_be_had(limit_of(get), heeds_line(get)))
    return fits(get, state.holders() + 1) ? Effect::change : Effect::contradiction;
  if (event.part == Part::arrives) {
    return get.is_answered() && get.outcome == Outcome::lock_get_deadlock ? Effect::none : Effect::change;
  }
  return none_if(!get.is_answered() || is_refused(get.outcome) || is_timeout(get.outcome));
}

// What an answered event says must be so; what an unanswered one does is not known.
Effect WindowSearch::effect(const Place& place, std::size_t i, const Event& event) const {
  const Operation& operation = operation_of(event);
  const Session session = window_.stretches[i].session;
  const LockState& state = place.state;
  const bool holds = state.is_held_by(session);
  if (event.part == Part::leaves) {  // at its own wish; who is handed the lock does not come by here
    const bool had = operation.is_answered() && (operation.outcome == Outcome::lock_get_success ||
                                                 operation.outcome == Outcome::shared_get_success);
    return had ? Effect::contradiction : Effect::change;
  }
  switch (operation.act) {
    case Act::get:
    case Act::get_wait:
    case Act::get_shared:
    case Act::get_limited:
    case Act::get_limited_wait:
      return effect_of_get(place, session, event);
    case Act::release:
    case Act::release_shared: {
      if (!operation.is_answered()) return holds ? Effect::change : Effect::none;
      const bool says_yes =
          operation.outcome == Outcome::lock_release_success || operation.outcome == Outcome::shared_release_success;
      if (says_yes != holds) return Effect::contradiction;
      return holds ? Effect::change : Effect::none;
    }
    case Act::inspect:
      return none_if((operation.outcome == Outcome::lock_is_locked) == (state.holders() > 0));
    case Act::inspect_shared:
      return none_if((operation.outcome == Outcome::shared_is_locked) == (state.holders() > 0) &&
                     operation.number == state.holders());
    case Act::inspect_line:
    case Act::inspect_shared_line:
      return none_if(operation.number == state.waiters());
    case Act::token:
      return none_if((operation.outcome == Outcome::lock_token) == holds);
    case Act::token_shared:
      return none_if((operation.outcome == Outcome::shared_token) == holds);
    case Act::has:
    case Act::has_shared:
      return Effect::change;
    case Act::release_all:
    case Act::quit:
    case Act::fin:
    case Act::rst:
    case Act::close:
    case Act::kill:
      return holds ? Effect::change : Effect::none;  // whoever is in line has not come that far
    case Act::cancel:
      break;
  }
  LOCKD_CHECK(false, "each act that concerns a lock has its effect");
}

// T1. The event of a wait that is granted is its second one.
bool WindowSearch::grant(Place& place, const Event& event, std::size_t holders) const {
  const Operation& operation = operation_of(event);
  if (operation.act != Act::has && operation.act != Act::has_shared && !fits(operation, holders)) return false;
  return event.token == 0 || tokens_[place.tokens++] == event.token;
}

bool WindowSearch::hand_over(Place& place, const std::vector<LockState::Grant>& grants) const {
  for (const auto& [session, holders] : grants) {
    const std::size_t i = stretch_of_.at(session);
    const Event& event = *next_event(place, i);
    const Outcome outcome = operation_of(event).outcome;
    const bool had = outcome == Outcome::lock_get_success || outcome == Outcome::shared_get_success;
    if ((event.is_answered && !had) || !grant(place, event, holders)) return false;
    ++place.next[i];
  }
  return true;
}

// Needs an effect that is no contradiction.
bool WindowSearch::take_get(Place& place, std::size_t i, const Event& event) const {
  const Operation& get = operation_of(event);
  const Session session = window_.stretches[i].session;
  const std::size_t parts = event.part == Part::arrives ? 2 : 1;
  const bool is_held = place.state.is_held_by(session);
  if (!is_held && !place.state.can_be_had(limit_of(get), heeds_line(get)) && parts == 2) {
    place.state.enter_line(session, limit_of(get));
    ++place.next[i];
    return true;
  }
  if (!is_held && place.state.can_be_had(limit_of(get), heeds_line(get))) {
    place.state.grant(session);
    const Event& last = lock_.sessions[session][place.next[i] + parts - 1];
    if (!grant(place, last, place.state.holders())) return false;
  }
  place.next[i] += parts;
  return true;
}

// False where that is not what the answers say.
bool WindowSearch::take(Place& place, const Choice& choice) const {
  const std::size_t i = choice.stretch;
  const Session session = window_.stretches[i].session;
  const Event& event = *next_event(place, i);
  const Operation& operation = operation_of(event);
  std::vector<LockState::Grant> grants;
  if (choice.ends) {
    place.next[i] = window_.stretches[i].end;
    place.state.remove(session, grants);
    return hand_over(place, grants);
  }
  if (event.part != Part::leaves && is_get(operation.act)) return take_get(place, i, event);
  ++place.next[i];
  if (operation.act == Act::has || operation.act == Act::has_shared) {
    place.state.grant(session);
    return grant(place, event, place.state.holders());
  }
  place.state.remove(session, grants);  // changes nothing where the session has nothing
  return hand_over(place, grants);
}

std::vector<std::uint64_t> known_tokens(const LockHistory& lock) {
  std::vector<std::uint64_t> tokens;
  for (const SessionEvents& events : lock.sessions) {
    for (const Event& event : events) {
      if (event.token != 0) tokens.push_back(event.token);
    }
  }
  std::ranges::sort(tokens);
  return tokens;
}

}  // namespace

SearchResult search(const History& history, const LockHistory& lock, std::size_t states_max) {
  SearchResult result;
  const auto tokens = known_tokens(lock);
  Place place;
  for (const Window& window : windows_of(lock)) {
    WindowSearch one(history, lock, tokens, window, states_max);
    result.verdict = one.run(place);
    ++result.windows;
    result.states += one.states();
    result.states_max = std::max(result.states_max, one.states());
    if (result.verdict == Verdict::ok) continue;
    result.bad_from = window.from;
    result.bad_to = window.to;
    return result;
  }
  return result;
}

}  // namespace lockd::histories
