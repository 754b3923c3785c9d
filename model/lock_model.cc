// The laws of the lock table, one function for each.
#include "model/lock_model.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace lockd::model {
namespace {

using Replies = std::vector<Reply>;

std::uint64_t token_of(const LockModel& state, SessionId session, const Lock& lock) {
  const auto& holders = state.holders(lock);
  const auto mine = std::ranges::find(holders, session, &Holder::session);
  return mine == holders.end() ? 0 : mine->token;
}

bool holds(const LockModel& state, SessionId session, const Lock& lock) { return token_of(state, session, lock) != 0; }

// S5, both kinds counted together.
bool at_bound(const LockModel& state, SessionId session) {
  return state.max_locks != 0 && state.locks_of(session).size() >= state.max_locks;
}

// X1; H1, C1: the number is how many hold it now, the session included.
Answer got(const LockModel& state, const Lock& lock) {
  if (lock.kind == LockKind::exclusive) return {Outcome::lock_get_success};
  return {Outcome::shared_get_success, state.holders(lock).size()};
}

// T1: every grant has a token of its own, larger than all before it.
Reply grant(LockModel& state, SessionId session, const Lock& lock) {
  state.locks[lock].holders.push_back({session, ++state.grants});
  return {session, got(state, lock), lock.key};
}

// T1: each who waits has a token set aside, so that W4 can't fail.
bool tokens_are_out(const LockModel& state) {
  return state.max_grants != 0 && state.grants + state.waiters() >= state.max_grants;
}

// W4, C2: the first in line is let through as long as fewer than its own limit hold the lock; those behind it wait for
// it. Forgets the lock if nobody has it then.
Replies let_through(LockModel& state, const Lock& lock) {
  Replies replies;
  auto& [holders, line] = state.locks.at(lock);
  while (!line.empty() && holders.size() < line.front().limit) {
    const SessionId first = line.front().session;
    line.erase(line.begin());
    replies.push_back(grant(state, first, lock));
  }
  if (holders.empty()) state.locks.erase(lock);
  return replies;
}

// X2, H2: a holder loses the lock, the others keep it, and whom that lets through is let through (W4).
Replies take_away(LockModel& state, SessionId session, const Lock& lock) {
  std::erase_if(state.locks.at(lock).holders, [=](const Holder& holder) { return holder.session == session; });
  return let_through(state, lock);
}

// W5: a waiter leaves its line, if it is in one, and whom that lets through is let through.
Replies leave_line(LockModel& state, SessionId session) {
  const auto lock = state.wait_of(session);
  if (!lock) return {};
  std::erase_if(state.locks.at(*lock).line, [=](const Waiter& waiter) { return waiter.session == session; });
  return let_through(state, *lock);
}

// Whose release of an exclusive lock a session waits for. A wait in a shared line is none (W6).
SessionId blocker(const LockModel& state, SessionId session) {
  const auto wait = state.wait_of(session);
  return wait && wait->kind == LockKind::exclusive ? state.holder(wait->key) : SessionId::nobody;
}

// W6: whether the holder of an exclusive lock waits for the session, directly or through others.
bool closes_circle(const LockModel& state, SessionId session, const Lock& lock) {
  if (lock.kind != LockKind::exclusive) return false;
  SessionId next = state.holder(lock.key);
  while (next != SessionId::nobody && next != session) next = blocker(state, next);
  return next == session;
}

// W7.
bool line_is_full(const LockModel& state, const Lock& lock) {
  return state.max_waiters != 0 && state.line(lock).size() >= state.max_waiters;
}

// What the five gets differ in.
struct Get {
  LockKind kind;
  std::uint32_t limit;  // how many may hold it, the session included
  bool heeds_line;      // H1: `sg` does not
  bool waits;
  Outcome failure;  // where it can't be had at once
};

Get get_of(const SessionAsks& request) {
  constexpr std::uint32_t no_limit = std::numeric_limits<std::uint32_t>::max();
  switch (request.verb) {
    case Verb::get_wait:
      return {LockKind::exclusive, 1, true, true, Outcome::lock_get_timeout};
    case Verb::get_shared:
      return {LockKind::shared, no_limit, false, false, Outcome::shared_get_failure};
    case Verb::get_limited:
      return {LockKind::shared, request.limit, true, false, Outcome::shared_get_failure};
    case Verb::get_limited_wait:
      return {LockKind::shared, request.limit, true, true, Outcome::shared_get_timeout};
    default:
      return {LockKind::exclusive, 1, true, false, Outcome::lock_get_failure};
  }
}

// X1, H1, C1, C2, W1, in the order of W10. No reply: the session waits.
Replies get(LockModel& state, const SessionAsks& request) {
  const SessionId session = request.session;
  const Get wanted = get_of(request);
  const Lock lock{wanted.kind, request.key};
  const auto answered = [&](Answer answer) { return Replies{{session, answer, request.key}}; };
  const bool can_be_had = state.holders(lock).size() < wanted.limit && (!wanted.heeds_line || state.line(lock).empty());

  if (holds(state, session, lock)) return answered(got(state, lock));
  if (at_bound(state, session)) return answered({Outcome::too_many_locks});
  if (can_be_had && tokens_are_out(state)) return answered({Outcome::out_of_tokens});
  if (can_be_had) return {grant(state, session, lock)};
  if (!wanted.waits || request.milliseconds == 0) return answered({wanted.failure});
  if (closes_circle(state, session, lock)) return answered({Outcome::lock_get_deadlock});
  if (line_is_full(state, lock)) return answered({Outcome::too_many_waiters});
  if (tokens_are_out(state)) return answered({Outcome::out_of_tokens});
  state.locks.at(lock).line.push_back({session, wanted.limit});
  return {};
}

// X2, H2: the holder, and nobody else, can release.
Replies release(LockModel& state, SessionId session, const Lock& lock) {
  const bool exclusive = lock.kind == LockKind::exclusive;
  if (!holds(state, session, lock)) {
    const auto failure = exclusive ? Outcome::lock_release_failure : Outcome::shared_release_failure;
    return {{session, {failure}, lock.key}};
  }
  Replies replies = {
      {session, {exclusive ? Outcome::lock_release_success : Outcome::shared_release_success}, lock.key}};
  const Replies others = take_away(state, session, lock);
  replies.insert(replies.end(), others.begin(), others.end());
  return replies;
}

// E1.
Replies release_all(LockModel& state, SessionId session) {
  const auto locks = state.locks_of(session);
  Replies replies = {{session, {Outcome::locks_released, locks.size()}, ""}};
  for (const Lock& lock : locks) {
    const Replies others = take_away(state, session, lock);
    replies.insert(replies.end(), others.begin(), others.end());
  }
  return replies;
}

// X3, H3: whether anybody holds it, and how many, whoever asks.
Answer inspect(const LockModel& state, const Lock& lock) {
  const auto number = state.holders(lock).size();
  if (lock.kind == LockKind::exclusive) return {number > 0 ? Outcome::lock_is_locked : Outcome::lock_not_locked};
  return {number > 0 ? Outcome::shared_is_locked : Outcome::shared_not_locked, number};
}

// W8.
Answer inspect_line(const LockModel& state, const Lock& lock) {
  return {lock.kind == LockKind::exclusive ? Outcome::lock_waiters : Outcome::shared_waiters, state.line(lock).size()};
}

// T2: its own token, not another's.
Answer token(const LockModel& state, SessionId session, const Lock& lock) {
  const bool exclusive = lock.kind == LockKind::exclusive;
  const auto mine = token_of(state, session, lock);
  if (mine == 0) return {exclusive ? Outcome::lock_not_held : Outcome::shared_not_held};
  return {exclusive ? Outcome::lock_token : Outcome::shared_token, mine};
}

Replies apply(LockModel& state, const SessionBegins& event) {
  if (event.session != SessionId::nobody && !state.ended.contains(event.session)) state.live.insert(event.session);
  return {};
}

Replies apply(LockModel& state, const SessionAsks& event) {
  if (!state.live.contains(event.session) || state.wait_of(event.session)) return {};
  const SessionId session = event.session;
  const Lock exclusive{LockKind::exclusive, event.key};
  const Lock shared{LockKind::shared, event.key};
  switch (event.verb) {
    case Verb::get:
    case Verb::get_wait:
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
      return get(state, event);
    case Verb::release:
      return release(state, session, exclusive);
    case Verb::release_shared:
      return release(state, session, shared);
    case Verb::release_all:
      return release_all(state, session);
    case Verb::inspect:
      return {{session, inspect(state, exclusive), event.key}};
    case Verb::inspect_shared:
      return {{session, inspect(state, shared), event.key}};
    case Verb::inspect_line:
      return {{session, inspect_line(state, exclusive), event.key}};
    case Verb::inspect_shared_line:
      return {{session, inspect_line(state, shared), event.key}};
    case Verb::token:
      return {{session, token(state, session, exclusive), event.key}};
    case Verb::token_shared:
      return {{session, token(state, session, shared), event.key}};
    default:
      return {};
  }
}

// W5, W9: the wait is over in the same step, and answered so.
Replies end_wait(LockModel& state, SessionId session, Outcome exclusive, Outcome shared) {
  const auto lock = state.wait_of(session);
  if (!lock) return {};
  Replies replies = {{session, {lock->kind == LockKind::exclusive ? exclusive : shared}, lock->key}};
  const Replies others = leave_line(state, session);
  replies.insert(replies.end(), others.begin(), others.end());
  return replies;
}

Replies apply(LockModel& state, const WaitTimesOut& event) {
  return end_wait(state, event.session, Outcome::lock_get_timeout, Outcome::shared_get_timeout);
}

Replies apply(LockModel& state, const WaitIsCanceled& event) {
  return end_wait(state, event.session, Outcome::lock_get_canceled, Outcome::shared_get_canceled);
}

Replies apply(LockModel& state, const SessionEndBegins& event) {
  if (state.live.erase(event.session) == 0) return {};
  state.ended.insert(event.session);
  return leave_line(state, event.session);
}

Replies apply(LockModel& state, const LockOrphaned& event) {
  if (!state.ended.contains(event.session) || !holds(state, event.session, event.lock)) return {};
  ++state.orphans[event.lock.kind];
  return take_away(state, event.session, event.lock);
}

Replies apply(LockModel& state, const LockReleased& event) {
  const bool idle = state.live.contains(event.session) && !state.wait_of(event.session);
  return idle && holds(state, event.session, event.lock) ? take_away(state, event.session, event.lock) : Replies{};
}

// S2: all the slices at once.
Replies apply(LockModel& state, const SessionEnds& event) {
  if (!state.live.contains(event.session)) return {};
  Replies replies = apply(state, SessionEndBegins{event.session});
  for (const Lock& lock : state.locks_of(event.session)) {
    const Replies others = apply(state, LockOrphaned{event.session, lock});
    replies.insert(replies.end(), others.begin(), others.end());
  }
  return replies;
}

// S6: the lines go first.
Replies apply(LockModel& state, const ServerStops&) {
  for (auto& [lock, its_state] : state.locks) its_state.line.clear();
  for (const SessionId session : std::set(state.live)) apply(state, SessionEnds{session});
  return {};
}

}  // namespace

Step step(LockModel state, const Event& event) {
  auto replies = std::visit([&state](const auto& happened) { return apply(state, happened); }, event);
  return {std::move(state), std::move(replies)};
}

SessionId LockModel::holder(const Key& key) const {
  const auto& one_or_none = holders({LockKind::exclusive, key});
  return one_or_none.empty() ? SessionId::nobody : one_or_none.front().session;
}

const std::vector<Holder>& LockModel::holders(const Lock& lock) const {
  static const std::vector<Holder> none;
  return locks.contains(lock) ? locks.at(lock).holders : none;
}

const std::vector<Waiter>& LockModel::line(const Lock& lock) const {
  static const std::vector<Waiter> none;
  return locks.contains(lock) ? locks.at(lock).line : none;
}

std::vector<Lock> LockModel::locks_of(SessionId session) const {
  std::vector<Lock> found;
  for (const auto& [lock, state] : locks) {
    if (std::ranges::count(state.holders, session, &Holder::session) > 0) found.push_back(lock);
  }
  return found;
}

std::optional<Lock> LockModel::wait_of(SessionId session) const {
  for (const auto& [lock, state] : locks) {
    if (std::ranges::count(state.line, session, &Waiter::session) > 0) return lock;
  }
  return std::nullopt;
}

std::uint64_t LockModel::keys_held(LockKind kind) const {
  std::uint64_t number = 0;
  for (const auto& [lock, state] : locks) number += lock.kind == kind ? 1 : 0;
  return number;
}

std::uint64_t LockModel::waiters() const {
  std::uint64_t number = 0;
  for (const auto& [lock, state] : locks) number += state.line.size();
  return number;
}

std::vector<std::string> LockModel::violations() const {
  std::vector<std::string> found;
  const auto require = [&found](bool is_so, const std::string& law) {
    if (!is_so) found.push_back(law);
  };
  std::set<SessionId> waiting;
  std::set<std::uint64_t> tokens;
  for (const auto& [lock, state] : locks) {
    const auto& [holders, line] = state;
    std::set<SessionId> different;
    std::uint64_t last_token = 0;
    for (const auto& [session, token] : holders) {
      require(live.contains(session) || ended.contains(session), "S2: holders are live or ending: " + lock.key);
      require(different.insert(session).second, "H: holders differ: " + lock.key);
      require(token > last_token && token <= grants, "T1: tokens grow with each grant: " + lock.key);
      require(tokens.insert(token).second, "T1: no token is given twice: " + lock.key);
      last_token = token;
    }
    for (const auto& [session, limit] : line) {
      require(live.contains(session), "S2: who waits is live: " + lock.key);
      require(!different.contains(session), "W10: nobody waits for what he holds: " + lock.key);
      require(waiting.insert(session).second, "W2: nobody waits twice: " + lock.key);
      require(limit > 0 && (lock.kind == LockKind::shared || limit == 1), "W1, C1: the limit: " + lock.key);
    }
    require(!holders.empty(), "X, H, W4: what nobody holds is not in the table: " + lock.key);
    require(lock.kind == LockKind::shared || holders.size() <= 1, "X: one holder at most: " + lock.key);
    require(line.empty() || holders.size() >= line.front().limit, "W4: the first in line can't be let in: " + lock.key);
    require(max_waiters == 0 || line.size() <= max_waiters, "W7: no longer line than the bound: " + lock.key);
  }
  for (const SessionId session : live) {
    require(!ended.contains(session), "S2: who has ended is not live");
    const auto wanted = locks_of(session).size() + (waiting.contains(session) ? 1 : 0);
    require(max_locks == 0 || wanted <= max_locks, "S5: no more locks than the bound");
    SessionId next = blocker(*this, session);
    for (std::size_t i = 0; i < waiting.size() && next != SessionId::nobody; ++i) next = blocker(*this, next);
    require(next == SessionId::nobody, "W6: nobody waits for himself");
  }
  require(max_grants == 0 || grants + waiting.size() <= max_grants, "T1: no more tokens than there are");
  return found;
}

}  // namespace lockd::model
