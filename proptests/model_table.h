// The model behind the engine's interface: a table into which faults can be planted that the engine has no place for.
// What it does is the model's word for word, so that only the fault is left to be found; that it is sound without one
// says nothing about the engine.
#ifndef LOCKD_PROPTESTS_MODEL_TABLE_H_
#define LOCKD_PROPTESTS_MODEL_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "model/lock_model.h"
#include "proptests/lockstep.h"

namespace lockd::proptests {

/// As EngineTable, in so far as Lockstep asks. Faulty descendants hide what they change, and call note_changes() where
/// they change state_ themselves.
class ModelTable {
 public:
  using Config = EngineTable::Config;

  explicit ModelTable(const Config& config) {
    constexpr auto no_bound = std::numeric_limits<std::uint64_t>::max();
    state_.max_locks = config.locks_max == no_bound ? 0 : config.locks_max;
    state_.max_waiters = config.waiters_max == no_bound ? 0 : config.waiters_max;
    state_.max_grants = config.tokens_end == engine::token_limit ? 0 : config.tokens_end - config.first_token;
  }

  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    meet(session);
    if (!may_ask(session)) return std::nullopt;
    const auto replies = tell(model::SessionAsks{session.id, verb_of(get), Key(get.key), get.limit, 1}, now);
    session.held = state_.locks_of(session.id).size();
    if (!replies.empty()) return replies.front().answer;
    session.wait = engine::SessionLocks::Wait{get.kind, {}};
    return std::nullopt;
  }

  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) {
    meet(session);
    if (!may_ask(session)) return std::nullopt;
    const Verb verb = kind == LockKind::exclusive ? Verb::release : Verb::release_shared;
    const auto replies = tell(model::SessionAsks{session.id, verb, Key(key)}, now);
    wake(session.id, replies, wakeups);
    session.held = state_.locks_of(session.id).size();
    return replies.front().answer;
  }

  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    return look(session, kind == LockKind::exclusive ? Verb::inspect : Verb::inspect_shared, key);
  }
  std::optional<Answer> inspect_line(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    return look(session, kind == LockKind::exclusive ? Verb::inspect_line : Verb::inspect_shared_line, key);
  }
  std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    return look(session, kind == LockKind::exclusive ? Verb::token : Verb::token_shared, key);
  }

  std::size_t release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                           engine::Wakeups& wakeups) {
    meet(session);
    if (!may_ask(session)) return 0;
    const std::size_t released = release_slice<model::LockReleased>(session.id, budget, now, wakeups);
    session.held = state_.locks_of(session.id).size();
    return released;
  }

  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) {
    meet(session);
    if (!session.waits() || !state_.wait_of(session.id)) return std::nullopt;
    const auto replies = why == engine::Leave::timeout ? tell(model::WaitTimesOut{session.id}, now)
                                                       : tell(model::WaitIsCanceled{session.id}, now);
    wake(session.id, replies, wakeups);
    session.wait.reset();
    return replies.front().answer;
  }

  void accept_grant(engine::SessionLocks& session) {
    session.wait.reset();
    session.held = state_.locks_of(session.id).size();
  }

  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    meet(session);
    session.ended = true;
    session.wait.reset();
    wake(session.id, tell(model::SessionEndBegins{session.id}, now), wakeups);
    release_slice<model::LockOrphaned>(session.id, budget, now, wakeups);
    session.held = state_.locks_of(session.id).size();
    return session.held == 0;
  }

  template <class See>
  void visit_holders(LockKind kind, std::string_view key, See see) const {
    for (const model::Holder& holder : state_.holders({kind, Key(key)})) see(holder.session);
  }

  template <class See>
  bool visit(LockKind kind, engine::TableCursor&, std::size_t, See see) const {
    for (const auto& [lock, state] : state_.locks) {
      const auto for_each_holder = [&](auto f) { visit_holders(lock.kind, lock.key, f); };
      if (lock.kind == kind) see(lock.key, static_cast<std::uint32_t>(state.holders.size()), for_each_holder);
    }
    return false;
  }

  template <class See>
  bool visit_claims(engine::TableCursor&, std::size_t, See see) const {
    for (const auto& [lock, claims] : claims_) {
      const auto& of_lock = claims;
      see(lock.kind, lock.key, static_cast<std::uint32_t>(of_lock.size()),
          [&](auto f) { std::ranges::for_each(of_lock, f); });
    }
    return false;
  }

  engine::Totals totals() const {
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
  std::uint64_t key_count(LockKind kind) const { return state_.keys_held(kind); }
  std::uint64_t orphan_count(LockKind kind) const { return state_.orphans.at(kind); }

  /// None: that the comparison finds the fault is what is to be shown.
  std::optional<std::string> check_invariants() const { return std::nullopt; }

 protected:
  using Replies = std::vector<model::Reply>;

  static bool may_ask(const engine::SessionLocks& session) { return !session.ended && !session.waits(); }

  /// A session is known from its first call on.
  void meet(const engine::SessionLocks& session) {
    homes_[session.id] = session.home;
    state_ = model::step(std::move(state_), model::SessionBegins{session.id}).state;
  }

  Replies tell(const model::Event& event, engine::Moment now) {
    auto [state, replies] = model::step(std::move(state_), event);
    state_ = std::move(state);
    note_changes(now);
    return replies;
  }

  void wake(SessionId asker, const Replies& replies, engine::Wakeups& wakeups) const {
    for (const auto& [to, answer, key] : replies) {
      if (to != asker) wakeups.push_back({to, homes_.at(to), answer});
    }
  }

  /// The claims as they are now, those that are new beginning now; and those that are gone into the histograms.
  void note_changes(engine::Moment now) {
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

  model::LockModel state_;
  bool hides_changes_ = false;  // while a fault takes something away and puts it back

 private:
  using Claims = std::vector<engine::Claim>;

  static const engine::Claim* find(const Claims& claims, const engine::Claim& like) {
    for (const engine::Claim& claim : claims) {
      if (claim.session == like.session && (claim.token == 0) == (like.token == 0)) return &claim;
    }
    return nullptr;
  }

  static Verb verb_of(const engine::Get& get) {
    if (get.kind == LockKind::exclusive) return get.waits ? Verb::get_wait : Verb::get;
    if (!get.heeds_line) return Verb::get_shared;
    return get.waits ? Verb::get_limited_wait : Verb::get_limited;
  }

  std::optional<Answer> look(const engine::SessionLocks& session, Verb verb, std::string_view key) const {
    if (!may_ask(session)) return std::nullopt;
    model::LockModel state = state_;
    state.live.insert(session.id);
    return model::step(std::move(state), model::SessionAsks{session.id, verb, Key(key)}).replies.front().answer;
  }

  template <class Freed>
  std::size_t release_slice(SessionId session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    std::size_t released = 0;
    for (const model::Lock& lock : state_.locks_of(session)) {
      if (released == budget) break;
      wake(session, tell(Freed{session, lock}, now), wakeups);
      ++released;
    }
    return released;
  }

  std::map<SessionId, std::uint32_t> homes_;
  std::map<model::Lock, Claims> claims_;
  engine::Totals counted_;  // grants, waits and times; the rest is seen in the state
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_MODEL_TABLE_H_
