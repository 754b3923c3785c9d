#include "proptests/swarm.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace lockd::proptests {
namespace {

constexpr int take_many = -1;
constexpr int stand_in_a_circle = -2;
constexpr int stand_in_line = -3;
const std::vector<Event> actions = {
    {.verb = Verb::get},
    {.verb = Verb::get_shared},
    {.verb = Verb::release},
    {.verb = Verb::release_shared},
    {.verb = Verb::inspect},
    {.verb = Verb::inspect_shared},
    {.verb = Verb::get_wait, .milliseconds = 1000},
    {.verb = Verb::get_wait, .milliseconds = 0},
    {.verb = Verb::get_limited},
    {.verb = Verb::get_limited_wait, .milliseconds = 1000},
    {.verb = Verb::get_limited_wait, .milliseconds = 0},
    {.verb = Verb::release_all},
    {.verb = Verb::release_all, .budget = 1},
    {.verb = Verb::cancel},
    {.what = What::times_out},
    {.what = What::learns},
    {.what = What::ends, .budget = all_locks},
    {.what = What::ends, .budget = 1},
    {.what = What::ends, .budget = 2},
};

const std::vector<std::vector<std::uint32_t>> limit_bags = {{1}, {1, 2}, {1, 2, 3, 4}, {2, 10}, {3}};

// How often each is preferred: one of these. What gives locks back is rarer than what takes them, what ends a session
// for good rarer still; and what only one who waits can do, or one with a Wakeup in flight, is tried more often, since
// it mostly meets others.
std::vector<int> weights_of(const Event& action) {
  if (action.what == What::ends) return {0, 0, 1, 2};
  if (action.what == What::learns) return {1, 8, 32};
  if (action.what == What::times_out) return {0, 2, 8, 16};
  if (action.verb == Verb::release_all || action.verb == Verb::cancel) return {0, 0, 1, 4};
  return {0, 1, 4, 16};
}

// Keys that are alike in some way, then any number.
std::vector<Key> first_keys(std::size_t count) {
  std::vector<Key> keys = {"a",
                           "b",
                           "",
                           "ab",
                           "A",
                           std::string(24, 'a'),
                           std::string(25, 'a'),
                           std::string(1, '\0'),
                           "\xff",
                           "constructor",
                           std::string(25, 'b'),
                           std::string(200, 'a')};
  for (std::size_t i = 0; keys.size() < count; ++i) keys.push_back("k" + std::to_string(i));
  keys.resize(count);
  return keys;
}

template <class T>
void prefer_some(std::vector<T>& bag, std::size_t times) {
  const std::size_t hot = *rc::gen::element<std::size_t>(0, 0, 1, 2, 3);
  const std::vector<T> all = bag;
  for (std::size_t i = 0; i < std::min(hot, all.size()); ++i) bag.insert(bag.end(), times, all[i]);
}

// 0 to n - 1, at every size (inRange alone stays near 0 in the first sequences of a run).
rc::Gen<int> below(int n) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, n)); }

// What a sequence is mostly about: anything; what the classic verbs can do, so that many take and hold; standing in few
// lines; standing in shared lines with different limits.
enum class Theme : std::uint8_t { anything, classic, lines, shared_lines };

const std::vector<Theme> themes = {Theme::anything, Theme::classic, Theme::lines, Theme::lines, Theme::shared_lines};

bool is_in_lines(Theme theme) { return theme == Theme::lines || theme == Theme::shared_lines; }

bool suits(Theme theme, const Event& action) {
  if (theme == Theme::anything || action.what == What::ends) return true;
  const bool is_classic =
      action.what == What::asks &&
      (action.verb == Verb::get || action.verb == Verb::get_shared || action.verb == Verb::release ||
       action.verb == Verb::release_shared || action.verb == Verb::inspect || action.verb == Verb::inspect_shared);
  if (theme == Theme::classic) return is_classic;
  if (theme == Theme::shared_lines && lock_of(action) && lock_of(action)->kind == LockKind::exclusive) return false;
  const bool is_hasty = is_get(action) && action.milliseconds == 0 && action.verb != Verb::get_limited;
  const bool looks = action.verb == Verb::inspect || action.verb == Verb::inspect_shared;
  return action.what != What::asks || (!is_hasty && !looks);
}

void choose_sessions_and_keys(Profile& profile, Theme theme) {
  auto session_count = *rc::gen::element<std::uint64_t>(1, 2, 3, 4, 8, 20, 20, 20);
  auto key_count = *rc::gen::element<std::size_t>(1, 1, 2, 3, 5, 12, 40);
  if (theme == Theme::classic) {
    session_count = *rc::gen::element<std::uint64_t>(2, 20, 20);
    key_count = *rc::gen::element<std::size_t>(1, 1, 1, 2, 12, 40);
  }
  if (is_in_lines(theme)) {
    session_count = *rc::gen::element<std::uint64_t>(3, 4, 5, 8);
    key_count = *rc::gen::element<std::size_t>(1, 1, 2, 3, 6);
  }
  const auto id_step = *rc::gen::element<std::uint64_t>(1, std::uint64_t{1} << 32);
  for (std::uint64_t i = 0; i < session_count; ++i) profile.sessions.push_back(SessionId{1 + i * id_step});
  profile.keys = first_keys(key_count);
}

void choose_actions(Profile& profile, Theme theme) {
  for (int i = 0; i < static_cast<int>(actions.size()); ++i) {
    const Event& action = actions[static_cast<std::size_t>(i)];
    int weight = *rc::gen::elementOf(weights_of(action));
    if (!suits(theme, action)) continue;
    if (is_in_lines(theme) && action.what != What::ends) weight *= 2;  // or soon nobody would be left
    profile.action_bag.insert(profile.action_bag.end(), static_cast<std::size_t>(weight), i);
  }
  if (profile.action_bag.empty()) profile.action_bag.push_back(0);
}

// What takes several events to come about. One sequence has one of these at most, as they do not leave much to chance.
void choose_composites(Profile& profile) {
  const int which = *below(50);
  if (which == 49) {
    profile.locks_max = 0;
    profile.grants_max = 0;
    profile.keys.resize(1);  // there will be enough to be looked at
    profile.action_bag.push_back(take_many);
  } else if (which < 6) {
    if (profile.keys.size() < 6) profile.keys = first_keys(6);
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size() / 20 + 1, stand_in_a_circle);
  } else if (which < 20) {
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size() / 20 + 1, stand_in_line);
  } else if (which < 27) {
    constexpr int get_shared = 1;  // of `actions`: a crowd of holders
    profile.keys.resize(1);
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size(), get_shared);
  }
}

// Up to so many, in a row from anywhere on.
template <class T>
std::vector<T> some_of(const std::vector<T>& all, int count) {
  const auto first = static_cast<std::size_t>(*below(20));
  std::vector<T> some;
  for (std::size_t i = 0; i < std::min(all.size(), static_cast<std::size_t>(count)); ++i) {
    some.push_back(all[(first + i) % all.size()]);
  }
  return some;
}

// One session takes many keys: the way to a full table.
Step take_many_keys(SessionId session, Verb verb, int count) {
  Step step{.events = {}, .is_crowd = true};
  for (int i = 0; i < count; ++i) {
    step.events.push_back({.session = session, .verb = verb, .key = "many" + std::to_string(i)});
  }
  return step;
}

// Each of several sessions takes a key and then waits for the next one's, the last for the first's.
Step circle_of(const std::vector<SessionId>& sessions, const std::vector<Key>& keys) {
  const std::size_t count = std::min(sessions.size(), keys.size());
  Step step;
  for (std::size_t i = 0; i < count; ++i) step.events.push_back({.session = sessions[i], .key = keys[i]});
  for (std::size_t i = 0; i < count; ++i) {
    step.events.push_back(
        {.session = sessions[i], .verb = Verb::get_wait, .key = keys[(i + 1) % count], .milliseconds = 1000});
  }
  return step;
}

// The first session takes keys and the others wait for them, so that whatever happens `then` wakes several.
Step line_of(const std::vector<SessionId>& sessions, const std::vector<Key>& keys, LockKind kind,
             const std::vector<std::uint32_t>& limits, const std::optional<Event>& then) {
  const bool shared = kind == LockKind::shared;
  Step step;
  for (const Key& key : keys) {
    step.events.push_back({.session = sessions[0], .verb = shared ? Verb::get_shared : Verb::get, .key = key});
  }
  for (std::size_t i = 1; i < sessions.size(); ++i) {
    step.events.push_back({.session = sessions[i],
                           .verb = shared ? Verb::get_limited_wait : Verb::get_wait,
                           .key = keys[i % keys.size()],
                           .limit = limits[i % limits.size()],
                           .milliseconds = 1000});
  }
  if (then) step.events.push_back(*then);
  return step;
}

Step some_line(const Profile& profile) {
  const auto kind = *rc::gen::element(LockKind::exclusive, LockKind::shared, LockKind::shared);
  const auto sessions = some_of(profile.sessions, 6);
  const SessionId head = sessions[sessions.size() > 1 ? 1 : 0];
  const std::vector<std::optional<Event>> then = {
      std::nullopt,
      Event{.session = sessions[0], .verb = Verb::release_all},
      Event{.session = sessions[0], .what = What::ends},
      Event{.session = head, .what = What::ends},
  };
  const auto keys = some_of(profile.keys, 1 + *below(2));
  const auto limits = some_of<std::uint32_t>({1, 2, 3, 4}, 1 + *below(3));
  return line_of(sessions, keys, kind, limits, then[static_cast<std::size_t>(*below(4))]);
}

Step some_circle(const Profile& profile) {
  const int count = *rc::gen::element(2, 3, 5, 6);
  const auto sessions = some_of(profile.sessions, count);
  return circle_of(sessions, some_of(profile.keys, count));
}

Step many_keys(const Profile& profile) {
  const Verb verb = *rc::gen::element(Verb::get, Verb::get_shared);
  const SessionId session = *rc::gen::elementOf(profile.session_bag);
  return take_many_keys(session, verb, 900 + *below(400));
}

Step one_event(const Profile& profile, const Event& action) {
  Event event = action;
  event.session = *rc::gen::elementOf(profile.session_bag);
  if (lock_of(event)) event.key = *rc::gen::elementOf(profile.key_bag);
  const bool is_limited = event.verb == Verb::get_limited || event.verb == Verb::get_limited_wait;
  if (is_limited) event.limit = *rc::gen::elementOf(profile.limit_bag);
  return {.events = {std::move(event)}};
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Profile& profile) {
  return out << "# " << profile.shard_count << " shards, max-locks " << profile.locks_max << ", max-waiters "
             << profile.waiters_max << ", tokens " << profile.grants_max << " (0: no bound), wake-ups arrive "
             << (profile.learns_at_once ? "at once, " : "later, ") << "looked at every " << profile.looks_every
             << " steps, " << profile.sessions.size() << " sessions, " << profile.keys.size() << " keys";
}

rc::Gen<Profile> profiles() {
  return rc::gen::exec([] {
    Profile profile;
    const Theme theme = *rc::gen::elementOf(themes);
    profile.shard_count = *rc::gen::element<std::uint32_t>(1, 16);
    profile.locks_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2, 4);
    profile.waiters_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2);
    if (profile.shard_count == 1) profile.grants_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 0, 5, 20);
    profile.learns_at_once = *rc::gen::element(true, true, false);
    profile.looks_every = *rc::gen::element(1, 4, 16, 16);
    profile.limit_bag = *rc::gen::elementOf(limit_bags);
    choose_sessions_and_keys(profile, theme);
    choose_actions(profile, theme);
    choose_composites(profile);
    profile.session_bag = profile.sessions;
    prefer_some(profile.session_bag, profile.sessions.size());
    profile.key_bag = profile.keys;
    prefer_some(profile.key_bag, profile.keys.size());
    return profile;
  });
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  const char* separator = "";
  for (const Event& event : step.events) out << std::exchange(separator, "\n") << event;
  return out;
}

rc::Gen<Step> steps(std::shared_ptr<const Profile> profile) {
  return rc::gen::exec([profile] {
    const int action = *rc::gen::elementOf(profile->action_bag);
    if (action == take_many) return many_keys(*profile);
    if (action == stand_in_line) return some_line(*profile);
    if (action == stand_in_a_circle) return some_circle(*profile);
    return one_event(*profile, actions[static_cast<std::size_t>(action)]);
  });
}

}  // namespace lockd::proptests
