// The laws of the lock table, one function for each.
#include "model/lock_model.h"

#include <algorithm>
#include <utility>

namespace lockd::model {
namespace {

bool holds(const LockModel& state, SessionId session, const Lock& lock) {
  return std::ranges::count(state.holders(lock), session) > 0;
}

// S5, both kinds counted together.
bool at_bound(const LockModel& state, SessionId session) {
  return state.max_locks != 0 && state.locks_of(session).size() >= state.max_locks;
}

void free(LockModel& state, SessionId session, const Lock& lock) {
  std::erase(state.held.at(lock), session);
  if (state.held.at(lock).empty()) state.held.erase(lock);
}

// X1: a free key becomes the session's; what it holds already it goes on holding, and holding is not counted; what
// another holds is refused. S5 comes before the key is looked at.
Answer get(LockModel& state, SessionId session, const Key& key) {
  const Lock lock{LockKind::exclusive, key};
  if (holds(state, session, lock)) return {Outcome::lock_get_success};
  if (at_bound(state, session)) return {Outcome::too_many_locks};
  if (state.held.contains(lock)) return {Outcome::lock_get_failure};
  state.held[lock] = {session};
  return {Outcome::lock_get_success};
}

// X2: the holder, and nobody else, can release.
Answer release(LockModel& state, SessionId session, const Key& key) {
  const Lock lock{LockKind::exclusive, key};
  if (!holds(state, session, lock)) return {Outcome::lock_release_failure};
  free(state, session, lock);
  return {Outcome::lock_release_success};
}

// X3: whether anybody holds it, whoever asks.
Answer inspect(const LockModel& state, const Key& key) {
  return {state.holder(key) != SessionId::nobody ? Outcome::lock_is_locked : Outcome::lock_not_locked};
}

// H1: the session becomes the last of the holders unless it is one already, S5 permitting. The number is how many there
// are now, itself included.
Answer get_shared(LockModel& state, SessionId session, const Key& key) {
  const Lock lock{LockKind::shared, key};
  if (!holds(state, session, lock)) {
    if (at_bound(state, session)) return {Outcome::too_many_locks};
    state.held[lock].push_back(session);
  }
  return {Outcome::shared_get_success, state.held[lock].size()};
}

// H2: a holder leaves, the others stay.
Answer release_shared(LockModel& state, SessionId session, const Key& key) {
  const Lock lock{LockKind::shared, key};
  if (!holds(state, session, lock)) return {Outcome::shared_release_failure};
  free(state, session, lock);
  return {Outcome::shared_release_success};
}

// H3: how many hold it, whoever asks.
Answer inspect_shared(const LockModel& state, const Key& key) {
  const auto number = state.holders({LockKind::shared, key}).size();
  return {number > 0 ? Outcome::shared_is_locked : Outcome::shared_not_locked, number};
}

std::vector<Reply> apply(LockModel& state, const SessionBegins& event) {
  if (event.session != SessionId::nobody && !state.ended.contains(event.session)) state.live.insert(event.session);
  return {};
}

std::vector<Reply> apply(LockModel& state, const SessionAsks& event) {
  const auto& [session, verb, key] = event;
  if (!state.live.contains(session)) return {};
  if (verb == Verb::get) return {{session, get(state, session, key), key}};
  if (verb == Verb::release) return {{session, release(state, session, key), key}};
  if (verb == Verb::inspect) return {{session, inspect(state, key), key}};
  if (verb == Verb::get_shared) return {{session, get_shared(state, session, key), key}};
  if (verb == Verb::release_shared) return {{session, release_shared(state, session, key), key}};
  if (verb == Verb::inspect_shared) return {{session, inspect_shared(state, key), key}};
  return {};
}

std::vector<Reply> apply(LockModel& state, const SessionEndBegins& event) {
  if (state.live.erase(event.session) == 1) state.ended.insert(event.session);
  return {};
}

std::vector<Reply> apply(LockModel& state, const LockOrphaned& event) {
  if (!state.ended.contains(event.session) || !holds(state, event.session, event.lock)) return {};
  free(state, event.session, event.lock);
  ++state.orphans[event.lock.kind];
  return {};
}

// S2: all the slices at once.
std::vector<Reply> apply(LockModel& state, const SessionEnds& event) {
  if (!state.live.contains(event.session)) return {};
  apply(state, SessionEndBegins{event.session});
  for (const Lock& lock : state.locks_of(event.session)) apply(state, LockOrphaned{event.session, lock});
  return {};
}

}  // namespace

Step step(LockModel state, const Event& event) {
  auto replies = std::visit([&state](const auto& happened) { return apply(state, happened); }, event);
  return {std::move(state), std::move(replies)};
}

SessionId LockModel::holder(const Key& key) const {
  const auto one_or_none = holders({LockKind::exclusive, key});
  return one_or_none.empty() ? SessionId::nobody : one_or_none.front();
}

std::vector<SessionId> LockModel::holders(const Lock& lock) const {
  return held.contains(lock) ? held.at(lock) : std::vector<SessionId>{};
}

std::vector<Lock> LockModel::locks_of(SessionId session) const {
  std::vector<Lock> locks;
  for (const auto& [lock, holding] : held) {
    if (std::ranges::count(holding, session) > 0) locks.push_back(lock);
  }
  return locks;
}

std::uint64_t LockModel::keys_held(LockKind kind) const {
  std::uint64_t number = 0;
  for (const auto& [lock, holding] : held) number += lock.kind == kind ? 1 : 0;
  return number;
}

std::vector<std::string> LockModel::violations() const {
  std::vector<std::string> found;
  const auto require = [&found](bool is_so, const std::string& law) {
    if (!is_so) found.push_back(law);
  };
  const auto has_begun = [this](SessionId session) { return live.contains(session) || ended.contains(session); };
  for (const auto& [lock, holding] : held) {
    require(!holding.empty(), "X, H: what nobody holds is not in the table: " + lock.key);
    require(lock.kind == LockKind::shared || holding.size() <= 1, "X: one holder at most: " + lock.key);
    require(std::set(holding.begin(), holding.end()).size() == holding.size(), "H: holders differ: " + lock.key);
    require(std::ranges::all_of(holding, has_begun), "S2: holders are live or ending: " + lock.key);
  }
  for (const SessionId session : live) {
    require(!ended.contains(session), "S2: who has ended is not live");
    require(max_locks == 0 || locks_of(session).size() <= max_locks, "S5: no more locks than the bound");
  }
  return found;
}

}  // namespace lockd::model
