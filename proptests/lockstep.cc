#include "proptests/lockstep.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace lockd::proptests {
namespace {

std::uint64_t bound(std::uint64_t number) { return number == 0 ? std::numeric_limits<std::uint64_t>::max() : number; }

std::vector<SessionId> sessions_of(const std::vector<model::Holder>& holders) {
  std::vector<SessionId> sessions;
  for (const model::Holder& holder : holders) sessions.push_back(holder.session);
  return sessions;
}

}  // namespace

Lockstep::Lockstep(const Config& config, TableMaker maker)
    : table_(maker({.seed = lockstep_seed,
                    .shard_count = config.shard_count,
                    .locks_max = bound(config.locks_max),
                    .waiters_max = bound(config.waiters_max),
                    .tokens_end = config.grants_max == 0 ? engine::token_limit : config.grants_max + 1,
                    .index_parts = config.index_parts})) {
  model_.max_locks = config.locks_max;
  model_.max_waiters = config.waiters_max;
  model_.max_grants = config.grants_max;
  for (const SessionId id : config.sessions) {
    sessions_.emplace_back(id, static_cast<std::uint32_t>(sessions_.size()) + 7);
    model_ = model::step(std::move(model_), model::SessionBegins{id}).state;
  }
}

engine::SessionLocks& Lockstep::session(SessionId id) {
  return *std::ranges::find(sessions_, id, &engine::SessionLocks::id);
}

std::optional<std::string> Lockstep::act(const Event& event) {
  pass_time();
  switch (event.what) {
    case What::asks:
      return asks(event);
    case What::times_out:
      return leaves_line(event, engine::Leave::timeout, model::WaitTimesOut{event.session});
    case What::learns:
      if (in_flight_.erase(event.session) > 0) table_->accept_grant(session(event.session));
      replies_.clear();
      return std::nullopt;
    case What::ends:
      return ends(event);
  }
  return std::nullopt;
}

std::optional<std::string> Lockstep::look() {
  if (auto difference = look_at_listings()) return difference;
  if (auto difference = look_at_claims()) return difference;
  if (auto difference = look_at_sessions()) return difference;
  return table_->check_invariants();
}

std::optional<std::string> Lockstep::look_at(const Key& key, const std::vector<SessionId>& askers) {
  for (const LockKind kind : both_kinds) {
    if (table_->holders(kind, key) != sessions_of(model_.holders({kind, key})))
      return "the holders of a key differ: " + shown(key);
  }
  return look_by({Verb::inspect, Verb::inspect_shared}, key, askers);
}

std::optional<std::string> Lockstep::look_at_line(const Key& key, const std::vector<SessionId>& askers) {
  return look_by({Verb::inspect_line, Verb::inspect_shared_line, Verb::token, Verb::token_shared}, key, askers);
}

std::optional<std::string> Lockstep::end_all() {
  for (const auto& session : sessions_) {
    if (auto difference = act({.session = session.id, .what = What::ends, .budget = all_locks})) return difference;
  }
  if (!model_.locks.empty()) return "the model has locks without sessions";
  return look();
}

void Lockstep::pass_time() {
  ++now_;
  for (const auto& [lock, state] : model_.locks) {
    hold_ms_[lock.kind] += state.holders.size();
    wait_ms_[lock.kind] += state.line.size();
  }
}

void Lockstep::tell(const model::Event& event) {
  auto [state, replies] = model::step(std::move(model_), event);
  model_ = std::move(state);
  replies_.insert(replies_.end(), replies.begin(), replies.end());
}

std::optional<std::string> Lockstep::compare(const Event& event, const std::optional<Answer>& answer,
                                             const engine::Wakeups& wakeups) {
  const bool is_short = wakeups.empty() && replies_.size() == (answer ? 1 : 0);  // the most frequent by far
  if (is_short && (!answer || (replies_[0].to == event.session && replies_[0].answer == *answer))) return std::nullopt;
  std::vector<model::Reply> got;
  if (answer) got.push_back({event.session, *answer, key_for(event.session, event.key)});
  for (const auto& [to, home, woken] : wakeups) got.push_back({to, woken, key_for(to, "(it waits for nothing)")});
  const auto by_lock = [&](const std::vector<model::Reply>& all) {
    std::map<std::tuple<bool, Outcome, Key>, std::vector<model::Reply>> replies;
    for (const auto& reply : all)
      replies[{reply.to != event.session, reply.answer.outcome, reply.key}].push_back(reply);
    return replies;
  };
  if (by_lock(got) != by_lock(replies_))
    return "the answers differ: the model's " + shown(replies_) + ", the engine's " + shown(got);
  for (const auto& [to, home, woken] : wakeups) {
    if (home != session(to).home) return "a wake-up is sent to the wrong home";
    in_flight_.insert(to);
    ++grants_[woken.outcome == Outcome::lock_get_success ? LockKind::exclusive : LockKind::shared];
  }
  return std::nullopt;
}

Key Lockstep::key_for(SessionId to, const Key& otherwise) const {
  const auto expected = std::ranges::find(replies_, to, &model::Reply::to);
  return expected == replies_.end() ? otherwise : expected->key;
}

std::optional<std::string> Lockstep::asks(const Event& event) {
  if (event.verb == Verb::cancel) {
    return leaves_line(event, engine::Leave::cancel, model::WaitIsCanceled{event.session});
  }
  if (event.verb == Verb::release_all) return event.budget == all_locks ? releases_all(event) : releases_slice(event);
  if (!is_get(event)) return request(event);
  const auto grants_before = model_.grants;
  const bool was_busy = is_busy(event.session);
  auto difference = request(event);
  if (was_busy) return difference;
  const LockKind kind = lock_of(event)->kind;
  grants_[kind] += model_.grants - grants_before;
  if (replies_.empty() && model_.wait_of(event.session)) ++waits_[kind];
  return difference;
}

std::optional<std::string> Lockstep::look_by(std::initializer_list<Verb> verbs, const Key& key,
                                             const std::vector<SessionId>& askers) {
  for (const Verb verb : verbs) {
    for (const SessionId asker : askers) {
      if (auto difference = request({.session = asker, .verb = verb, .key = key})) return difference;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Lockstep::request(const Event& event) {
  replies_.clear();
  if (!is_in_flight(event.session)) {
    tell(model::SessionAsks{event.session, event.verb, event.key, event.limit, event.milliseconds});
  }
  engine::Wakeups wakeups;
  auto answer = ask(*table_, session(event.session), event, now_, wakeups);
  if (answer && !replies_.empty()) {
    if (auto broken = translate_token(event, *answer)) return broken;
  }
  return compare(event, answer, wakeups);
}

std::optional<std::string> Lockstep::translate_token(const Event& event, Answer& answer) {
  if (answer.outcome != Outcome::lock_token && answer.outcome != Outcome::shared_token) return std::nullopt;
  const Answer& expected = replies_.front().answer;
  if (expected.outcome != answer.outcome) return std::nullopt;
  auto broken = tokens_.see({*lock_of(event), expected.number, answer.number});
  answer.number = expected.number;
  return broken;
}

std::optional<std::string> Lockstep::leaves_line(const Event& event, engine::Leave why, const model::Event& happened) {
  replies_.clear();
  tell(happened);
  engine::Wakeups wakeups;
  const auto answer = table_->leave_line(session(event.session), why, now_, wakeups);
  return compare(event, answer, wakeups);
}

std::optional<std::string> Lockstep::releases_all(const Event& event) {
  replies_.clear();
  const bool answers = !is_busy(event.session) && model_.live.contains(event.session);
  if (answers) tell(model::SessionAsks{event.session, Verb::release_all, ""});
  engine::Wakeups wakeups;
  const std::size_t released = table_->release_some(session(event.session), all_locks, now_, wakeups);
  if (!answers && released > 0) return "locks are released for one who may not ask";
  return compare(event, answers ? std::optional(Answer{Outcome::locks_released, released}) : std::nullopt, wakeups);
}

std::optional<std::string> Lockstep::releases_slice(const Event& event) {
  replies_.clear();
  const auto locks_before = model_.locks_of(event.session);
  const bool releases = !is_busy(event.session) && model_.live.contains(event.session);
  engine::Wakeups wakeups;
  const std::size_t released = table_->release_some(session(event.session), event.budget, now_, wakeups);
  if (released != (releases ? std::min(event.budget, locks_before.size()) : 0)) return "a slice is not what it says";
  if (tell_what_is_free<model::LockReleased>(event.session, locks_before) != released) {
    return "a slice freed other than it says";
  }
  return compare(event, std::nullopt, wakeups);
}

std::optional<std::string> Lockstep::ends(const Event& event) {
  replies_.clear();
  tell(model::SessionEndBegins{event.session});
  in_flight_.erase(event.session);
  const auto locks_before = model_.locks_of(event.session);
  engine::Wakeups wakeups;
  const bool is_over = table_->end_some(session(event.session), event.budget, now_, wakeups);
  const std::size_t freed = tell_what_is_free<model::LockOrphaned>(event.session, locks_before);
  if (freed != std::min(event.budget, locks_before.size())) return "a slice freed " + std::to_string(freed) + " locks";
  if (is_over && freed != locks_before.size()) return "the end is called over and is not";
  if (!is_over && event.budget > locks_before.size()) return "the end is over and is not called so";
  return compare(event, std::nullopt, wakeups);
}

template <class Freed>
std::size_t Lockstep::tell_what_is_free(SessionId id, const std::vector<model::Lock>& locks) {
  std::size_t freed = 0;
  for (const model::Lock& lock : locks) {
    if (std::ranges::count(table_->holders(lock.kind, lock.key), id) > 0) continue;
    tell(Freed{id, lock});
    ++freed;
  }
  return freed;
}

// All at once, not each by the model's looks, as those walk over all locks.
std::optional<std::string> Lockstep::look_at_sessions() const {
  std::map<SessionId, std::uint64_t> held;
  std::set<SessionId> waits = in_flight_;
  for (const auto& [lock, state] : model_.locks) {
    for (const model::Holder& holder : state.holders) ++held[holder.session];
    for (const model::Waiter& waiter : state.line) waits.insert(waiter.session);
  }
  for (const auto& session : sessions_) {
    const std::uint64_t unknown = is_in_flight(session.id) ? 1 : 0;
    if (session.held + unknown != held[session.id]) return "the numbers of a session's locks differ";
    if (session.waits() != waits.contains(session.id)) return "one side knows a session's wait";
    if (session.ended != model_.ended.contains(session.id)) return "one side knows a session's end";
  }
  return std::nullopt;
}

std::optional<std::string> Lockstep::look_at_listings() const {
  std::set<model::Lock> seen;
  for (const LockKind kind : both_kinds) {
    for (const auto& [key, holders] : table_->listing(kind)) {
      const model::Lock lock{kind, key};
      const bool is_new = seen.insert(lock).second;
      if (!is_new || holders != sessions_of(model_.holders(lock))) return "the listings differ: " + shown(key);
    }
  }
  if (seen.size() != model_.locks.size()) return "the listings differ";
  return std::nullopt;
}

std::optional<std::string> Lockstep::look_at_claims() {
  const std::vector<ClaimedLock> claims = table_->claims();
  std::set<model::Lock> seen;
  for (const auto& [lock, of_lock] : claims) {
    if (!seen.insert(lock).second) return "the listings with lines name a key twice: " + shown(lock.key);
    if (auto difference = look_at_claims_of(lock, of_lock)) return *difference + ": " + shown(lock.key);
  }
  if (seen.size() != model_.locks.size()) return "the listings with lines differ in their keys";
  return look_at_totals(claims);
}

std::optional<std::string> Lockstep::look_at_claims_of(const model::Lock& lock,
                                                       const std::vector<engine::Claim>& claims) {
  const auto state = model_.locks.find(lock);
  if (state == model_.locks.end()) return "the listings with lines differ in their keys";
  const auto& [holders, line] = state->second;
  if (claims.size() != holders.size() + line.size()) return "the listings with lines differ in their length";
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (claims[i].session != holders[i].session) return "the listings with lines differ in the holders";
    if (auto broken = tokens_.see({lock, holders[i].token, claims[i].token})) return broken;
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    const engine::Claim& claim = claims[holders.size() + i];
    if (claim.session != line[i].session || claim.token != 0) return "the lines differ";
  }
  return std::nullopt;
}

std::optional<std::string> Lockstep::look_at_totals(const std::vector<ClaimedLock>& claims) {
  const engine::Totals totals = table_->totals();
  for (const LockKind kind : both_kinds) {
    const engine::KindTotals& got = totals[kind];
    engine::KindTotals expected{.keys = model_.keys_held(kind),
                                .grants = grants_[kind],
                                .waits = waits_[kind],
                                .orphans = model_.orphans.at(kind),
                                .hold_ms = got.hold_ms,
                                .wait_ms = got.wait_ms};
    std::uint64_t hold_ms = 0;
    std::uint64_t wait_ms = 0;
    for (const auto& [lock, of_lock] : claims) {
      if (lock.kind != kind) continue;
      const auto line = static_cast<std::uint64_t>(std::ranges::count(of_lock, 0U, &engine::Claim::token));
      expected.longest_line = std::max(expected.longest_line, line);
      expected.waiters += line;
      expected.holders += of_lock.size() - line;
      for (const engine::Claim& claim : of_lock) {
        (claim.token == 0 ? wait_ms : hold_ms) += now_ - claim.since;
        if (claim.token == 0) expected.oldest_wait = std::min(expected.oldest_wait.value_or(now_), claim.since);
      }
    }
    if (got != expected) return "the totals differ";
    if (got.hold_ms.sum_ms + hold_ms != hold_ms_[kind] || got.hold_ms.total() != got.grants - got.holders) {
      return "the times for which locks were held differ";
    }
    if (got.wait_ms.sum_ms + wait_ms != wait_ms_[kind] || got.wait_ms.total() != got.waits - got.waiters) {
      return "the times for which sessions waited differ";
    }
  }
  return std::nullopt;
}

}  // namespace lockd::proptests
