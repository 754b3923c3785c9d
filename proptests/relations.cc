#include "proptests/relations.h"

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proptests/event.h"
#include "proptests/found_scenario.h"
#include "proptests/last_words.h"

namespace lockd::proptests {
namespace {

constexpr int session_count = 4;
const std::vector<Key> keys = {"a", "b", "c"};

// An answer or a wake-up.
using Told = std::pair<SessionId, Answer>;
using Claims = std::map<std::pair<LockKind, Key>, std::vector<std::pair<SessionId, bool>>>;

// A table alone.
class Side {
 public:
  explicit Side(TableMaker maker) : table_(maker({.seed = lockstep_seed})) {}

  // What the event makes the engine say, its own answer first. Wake-ups arrive at once.
  std::vector<Told> act(const Event& event) {
    events_.push_back(event);
    const LastWords words([this] { return say_crash(scenario()); });
    engine::Wakeups wakeups;
    std::vector<Told> told;
    if (const auto answer = answer_to(event, wakeups)) told.emplace_back(event.session, *answer);
    std::ranges::sort(wakeups, {}, &engine::Wakeup::session);  // several locks are freed in no stated order
    for (const auto& [to, home, answer] : wakeups) {
      if (session(to).waits()) table_->accept_grant(session(to));  // a faulty table tells others too
      told.emplace_back(to, answer);
    }
    return told;
  }

  // Who holds and who waits (true), in order, without tokens and times.
  Claims claims() const {
    Claims found;
    for (const auto& [lock, claims] : table_->claims()) {
      auto& of_lock = found[{lock.kind, lock.key}];
      for (const engine::Claim& claim : claims) of_lock.emplace_back(claim.session, claim.token == 0);
    }
    return found;
  }

  engine::SessionLocks& session(SessionId id) { return sessions_.try_emplace(id, id).first->second; }

 private:
  std::string scenario() const {
    Lockstep::Config config;
    for (const auto& [id, session] : sessions_) config.sessions.push_back(id);
    return scenario_of(config, events_, WakeUps::at_once);
  }

  std::optional<Answer> answer_to(const Event& event, engine::Wakeups& wakeups) {
    engine::SessionLocks& acting = session(event.session);
    ++now_;
    if (event.what == What::ends) {
      table_->end_some(acting, all_locks, now_, wakeups);
      return std::nullopt;
    }
    if (event.what == What::times_out) return table_->leave_line(acting, engine::Leave::timeout, now_, wakeups);
    if (event.what == What::learns) return std::nullopt;
    if (event.verb == Verb::cancel) return table_->leave_line(acting, engine::Leave::cancel, now_, wakeups);
    if (event.verb != Verb::release_all) return ask(*table_, acting, event, now_, wakeups);
    return Answer{Outcome::locks_released, table_->release_some(acting, all_locks, now_, wakeups)};
  }

  AnyTable table_;
  std::vector<Event> events_;  // so far
  std::map<SessionId, engine::SessionLocks> sessions_;
  engine::Moment now_ = 0;
};

std::vector<Told> act_all(Side& side, const std::vector<Event>& events) {
  std::vector<Told> told;
  for (const Event& event : events) {
    const auto more = side.act(event);
    told.insert(told.end(), more.begin(), more.end());
  }
  return told;
}

rc::Gen<int> below(int n) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, n)); }

rc::Gen<Event> events_of(std::vector<Event> kinds) {
  return rc::gen::exec([kinds] {
    Event event = *rc::gen::elementOf(kinds);
    event.session = SessionId{1 + static_cast<std::uint64_t>(*below(session_count))};
    if (lock_of(event)) event.key = *rc::gen::elementOf(keys);
    return event;
  });
}

const std::vector<Event> looks = {
    {.verb = Verb::inspect},        {.verb = Verb::inspect_line},        {.verb = Verb::token},
    {.verb = Verb::inspect_shared}, {.verb = Verb::inspect_shared_line}, {.verb = Verb::token_shared},
};
const std::vector<Event> at_once = {
    {.verb = Verb::get},     {.verb = Verb::get_shared},     {.verb = Verb::get_limited, .limit = 2},
    {.verb = Verb::release}, {.verb = Verb::release_shared}, {.verb = Verb::get_wait, .milliseconds = 0},
};
const std::vector<Event> waits = {
    {.verb = Verb::get_wait, .milliseconds = 1000},
    {.verb = Verb::get_limited_wait, .limit = 1, .milliseconds = 1000},
    {.verb = Verb::get_limited_wait, .limit = 2, .milliseconds = 1000},
};
const std::vector<Event> leaves = {
    {.verb = Verb::release_all}, {.verb = Verb::cancel}, {.what = What::times_out}, {.what = What::ends}};

// Anything, ends being rare.
rc::Gen<std::vector<Event>> sequences() {
  std::vector<Event> kinds;
  for (int i = 0; i < 5; ++i) {
    kinds.insert(kinds.end(), at_once.begin(), at_once.end());
    kinds.insert(kinds.end(), waits.begin(), waits.end());
  }
  kinds.insert(kinds.end(), looks.begin(), looks.end());
  kinds.insert(kinds.end(), leaves.begin(), leaves.end());
  return rc::gen::container<std::vector<Event>>(events_of(kinds));
}

bool is_token(const Told& told) {
  return told.second.outcome == Outcome::lock_token || told.second.outcome == Outcome::shared_token;
}

void set_tokens_aside(std::vector<Told>& all) {
  for (Told& told : all) told.second.number = is_token(told) ? 0 : told.second.number;
}

// What others were told, in no stated order: several locks are freed.
std::vector<Told> told_to_others(std::vector<Told> all, SessionId session) {
  std::erase_if(all, [&](const Told& told) { return told.first == session; });
  std::ranges::sort(all, {}, [](const Told& told) { return std::tuple(told.first, told.second.outcome); });
  return all;
}

}  // namespace

void renaming_renames(TableMaker maker) {
  const auto session = [](SessionId id) {
    return SessionId{(std::uint64_t{7} << 40) - static_cast<std::uint64_t>(id)};
  };
  const auto key = [](const Key& name) { return std::string(30, 'x') + name + std::string(1, '\0'); };
  Side one(maker);
  Side other(maker);
  for (const Event& event : *sequences()) {
    Event renamed = event;
    renamed.session = session(event.session);
    renamed.key = key(event.key);
    auto told = one.act(event);
    auto told_other = other.act(renamed);
    for (auto& [to, answer] : told) to = session(to);
    for (auto* const side : {&told, &told_other}) {
      std::ranges::sort(*side, {}, &Told::first);
      set_tokens_aside(*side);
    }
    RC_ASSERT(told == told_other);
  }
}

void looking_changes_nothing(TableMaker maker) {
  Side one(maker);
  Side other(maker);
  for (const Event& event : *sequences()) {
    for (const Event& look : *rc::gen::container<std::vector<Event>>(3, events_of(looks))) other.act(look);
    RC_ASSERT(one.act(event) == other.act(event));
  }
  RC_ASSERT(one.claims() == other.claims());
}

void different_keys_commute(TableMaker maker) {
  std::vector<Event> kinds = at_once;
  kinds.insert(kinds.end(), waits.begin() + 1, waits.end());
  Side one(maker);
  act_all(one, *sequences());
  const Event first = *events_of(kinds);
  const Event second = *events_of(kinds);
  RC_PRE(first.session != second.session && first.key != second.key);
  Side other = one;
  // Whom each wakes does nothing more, so his waking changes nothing for the other request, unless he makes it.
  const auto first_told = one.act(first);
  const bool woken = std::ranges::count(first_told, second.session, &Told::first) > 0;
  const auto second_told = one.act(second);
  RC_PRE(!woken && std::ranges::count(second_told, first.session, &Told::first) == 0);
  RC_ASSERT(other.act(second) == second_told);
  RC_ASSERT(other.act(first) == first_told);
  RC_ASSERT(one.claims() == other.claims());
}

void disconnect_equals_release_of_everything(TableMaker maker) {
  Side one(maker);
  act_all(one, *sequences());
  const SessionId session{1 + static_cast<std::uint64_t>(*below(session_count))};
  Side other = one;
  const auto told = one.act({.session = session, .what = What::ends});
  std::vector<Event> releases = {{.session = session, .verb = Verb::cancel}};
  for (const Key& key : keys) {
    releases.push_back({.session = session, .verb = Verb::release, .key = key});
    releases.push_back({.session = session, .verb = Verb::release_shared, .key = key});
  }
  const auto told_other = act_all(other, releases);
  RC_ASSERT(told_to_others(told, session) == told_to_others(told_other, session));
  RC_ASSERT(one.claims() == other.claims());
}

void a_bystander_changes_nothing(TableMaker maker) {
  const SessionId bystander{99};
  Side one(maker);
  Side other(maker);
  for (const Event& event : *sequences()) {
    for (Event noise : *rc::gen::container<std::vector<Event>>(2, events_of(at_once))) {
      noise.session = bystander;
      noise.key += "!";
      other.act(noise);
    }
    auto told = one.act(event);
    auto told_other = other.act(event);
    set_tokens_aside(told);
    set_tokens_aside(told_other);
    RC_ASSERT(told == told_other);
  }
  other.act({.session = bystander, .what = What::ends});
  RC_ASSERT(one.claims() == other.claims());
}

}  // namespace lockd::proptests
