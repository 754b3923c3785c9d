#include "proptests/model_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace lockd::proptests {
namespace {

// The claim of the same session, holding or waiting as this one does; or null.
const engine::Claim* find(const std::vector<engine::Claim>& claims, const engine::Claim& like) {
  for (const engine::Claim& claim : claims) {
    if (claim.session == like.session && (claim.token == 0) == (like.token == 0)) return &claim;
  }
  return nullptr;
}

Verb verb_of(const engine::Get& get) {
  if (get.kind == LockKind::exclusive) return get.waits ? Verb::get_wait : Verb::get;
  if (!get.heeds_line) return Verb::get_shared;
  return get.waits ? Verb::get_limited_wait : Verb::get_limited;
}

}  // namespace

ModelTable::ModelTable(const TableConfig& config) {
  constexpr auto no_bound = std::numeric_limits<std::uint64_t>::max();
  state_.max_locks = config.locks_max == no_bound ? 0 : config.locks_max;
  state_.max_waiters = config.waiters_max == no_bound ? 0 : config.waiters_max;
  state_.max_grants = config.tokens_end == engine::token_limit ? 0 : config.tokens_end - config.first_token;
}

std::optional<Answer> ModelTable::get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
  meet(session);
  if (!may_ask(session)) return std::nullopt;
  const auto replies = tell(model::SessionAsks{session.id, verb_of(get), Key(get.key), get.limit, 1}, now);
  session.held = state_.locks_of(session.id).size();
  if (!replies.empty()) return replies.front().answer;
  session.wait = engine::SessionLocks::Wait{get.kind, {}};
  return std::nullopt;
}

std::optional<Answer> ModelTable::release(engine::SessionLocks& session, LockKind kind, std::string_view key,
                                          engine::Moment now, engine::Wakeups& wakeups) {
  meet(session);
  if (!may_ask(session)) return std::nullopt;
  const Verb verb = kind == LockKind::exclusive ? Verb::release : Verb::release_shared;
  const auto replies = tell(model::SessionAsks{session.id, verb, Key(key)}, now);
  wake(session.id, replies, wakeups);
  session.held = state_.locks_of(session.id).size();
  return replies.front().answer;
}

std::optional<Answer> ModelTable::inspect(const engine::SessionLocks& session, LockKind kind,
                                          std::string_view key) const {
  return look(session, kind == LockKind::exclusive ? Verb::inspect : Verb::inspect_shared, key);
}

std::optional<Answer> ModelTable::inspect_line(const engine::SessionLocks& session, LockKind kind,
                                               std::string_view key) const {
  return look(session, kind == LockKind::exclusive ? Verb::inspect_line : Verb::inspect_shared_line, key);
}

std::optional<Answer> ModelTable::token(const engine::SessionLocks& session, LockKind kind,
                                        std::string_view key) const {
  return look(session, kind == LockKind::exclusive ? Verb::token : Verb::token_shared, key);
}

std::size_t ModelTable::release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                                     engine::Wakeups& wakeups) {
  meet(session);
  if (!may_ask(session)) return 0;
  const std::size_t released = release_slice<model::LockReleased>(session.id, budget, now, wakeups);
  session.held = state_.locks_of(session.id).size();
  return released;
}

std::optional<Answer> ModelTable::leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                             engine::Wakeups& wakeups) {
  meet(session);
  if (!session.waits() || !state_.wait_of(session.id)) return std::nullopt;
  const auto replies = why == engine::Leave::timeout ? tell(model::WaitTimesOut{session.id}, now)
                                                     : tell(model::WaitIsCanceled{session.id}, now);
  wake(session.id, replies, wakeups);
  session.wait.reset();
  return replies.front().answer;
}

void ModelTable::accept_grant(engine::SessionLocks& session) {
  session.wait.reset();
  session.held = state_.locks_of(session.id).size();
}

bool ModelTable::end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                          engine::Wakeups& wakeups) {
  meet(session);
  session.ended = true;
  session.wait.reset();
  wake(session.id, tell(model::SessionEndBegins{session.id}, now), wakeups);
  release_slice<model::LockOrphaned>(session.id, budget, now, wakeups);
  session.held = state_.locks_of(session.id).size();
  return session.held == 0;
}

std::vector<SessionId> ModelTable::holders(LockKind kind, std::string_view key) const {
  std::vector<SessionId> found;
  for (const model::Holder& holder : state_.holders({kind, Key(key)})) found.push_back(holder.session);
  return found;
}

std::vector<HeldKey> ModelTable::listing(LockKind kind) const {
  std::vector<HeldKey> found;
  for (const auto& [lock, state] : state_.locks) {
    if (lock.kind == kind) found.push_back({lock.key, holders(kind, lock.key)});
  }
  return found;
}

std::vector<ClaimedLock> ModelTable::claims() const {
  std::vector<ClaimedLock> found;
  for (const auto& [lock, claims] : claims_) found.push_back({lock, claims});
  return found;
}

engine::Totals ModelTable::totals() const {
  engine::Totals totals = counted_;
  for (const auto& [lock, state] : state_.locks) {
    engine::KindTotals& of_kind = totals[lock.kind];
    ++of_kind.keys;
    of_kind.holders += state.holders.size();
    of_kind.waiters += state.line.size();
    of_kind.longest_line = std::max(of_kind.longest_line, state.line.size());
    for (const engine::Claim& claim : claims_.at(lock)) {
      if (claim.token == 0) of_kind.oldest_wait = std::min(of_kind.oldest_wait.value_or(claim.since), claim.since);
    }
  }
  for (const LockKind kind : both_kinds) totals[kind].orphans = state_.orphans.at(kind);
  return totals;
}

void ModelTable::meet(const engine::SessionLocks& session) {
  homes_[session.id] = session.home;
  state_ = model::step(std::move(state_), model::SessionBegins{session.id}).state;
}

ModelTable::Replies ModelTable::tell(const model::Event& event, engine::Moment now) {
  auto [state, replies] = model::step(std::move(state_), event);
  state_ = std::move(state);
  note_changes(now);
  return replies;
}

void ModelTable::wake(SessionId asker, const Replies& replies, engine::Wakeups& wakeups) const {
  for (const auto& [to, answer, key] : replies) {
    if (to != asker) wakeups.push_back({to, homes_.at(to), answer});
  }
}

void ModelTable::note_changes(engine::Moment now) {
  if (hides_changes_) return;
  const auto before = std::exchange(claims_, {});
  for (const auto& [lock, state] : state_.locks) {
    auto& claims = claims_[lock];
    for (const auto& [session, token] : state.holders) claims.push_back({session, token, now});
    for (const auto& [session, limit] : state.line) claims.push_back({session, 0, now});
    for (engine::Claim& claim : claims) {
      const auto known = before.find(lock);
      const auto* const old = known == before.end() ? nullptr : find(known->second, claim);
      if (old != nullptr) claim.since = old->since;
      if (old == nullptr) ++(claim.token == 0 ? counted_[lock.kind].waits : counted_[lock.kind].grants);
    }
  }
  for (const auto& [lock, claims] : before) {
    for (const engine::Claim& claim : claims) {
      const auto left = claims_.find(lock);
      if (left != claims_.end() && find(left->second, claim) != nullptr) continue;
      (claim.token == 0 ? counted_[lock.kind].wait_ms : counted_[lock.kind].hold_ms).count(now - claim.since);
    }
  }
}

std::optional<Answer> ModelTable::look(const engine::SessionLocks& session, Verb verb, std::string_view key) const {
  if (!may_ask(session)) return std::nullopt;
  model::LockModel state = state_;
  state.live.insert(session.id);
  return model::step(std::move(state), model::SessionAsks{session.id, verb, Key(key)}).replies.front().answer;
}

template <class Freed>
std::size_t ModelTable::release_slice(SessionId session, std::size_t budget, engine::Moment now,
                                      engine::Wakeups& wakeups) {
  std::size_t released = 0;
  for (const model::Lock& lock : state_.locks_of(session)) {
    if (released == budget) break;
    wake(session, tell(Freed{session, lock}, now), wakeups);
    ++released;
  }
  return released;
}

}  // namespace lockd::proptests
