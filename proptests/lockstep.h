// The engine and its specification side by side: the same event to both, and every difference is a finding. What to do
// in which order is the business of those who use it, the explorer and the random tests.
#ifndef LOCKD_PROPTESTS_LOCKSTEP_H_
#define LOCKD_PROPTESTS_LOCKSTEP_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "model/lock_model.h"
#include "model/token_rule.h"
#include "proptests/engine_side.h"
#include "proptests/event.h"

namespace lockd::proptests {

inline constexpr std::array both_kinds = {LockKind::exclusive, LockKind::shared};

/// A number for each kind of lock.
struct PerKind {
  std::array<std::uint64_t, 2> numbers{};
  std::uint64_t& operator[](LockKind kind) { return numbers[static_cast<std::size_t>(kind)]; }
};

/// `Table` is EngineTable, or a faulty descendant of it that must be found out. A copy is a fork: it goes on alone.
///
/// A hand-over is one step of the model and two of the engine: the lock changes its holder, a Wakeup is on its way to
/// the new one, and until that one learns of it (What::learns) he counts as one who waits. What he asks meanwhile the
/// session would hold back (W2): the engine has to say nothing and the model is not told.
///
/// A millisecond passes with each event, so that durations tell who has waited and held how long.
template <class Table>
class Lockstep {
 public:
  struct Config {
    std::vector<SessionId> sessions;  // they begin at the start
    std::uint32_t shard_count = 1;
    std::uint64_t locks_max = 0;    // S5; 0: no bound
    std::uint64_t waiters_max = 0;  // W7; 0: no bound
    std::uint64_t grants_max = 0;   // T1; 0: no bound; with one shard alone, as each keeps a range to itself
  };

  explicit Lockstep(const Config& config)
      : table_({.seed = lockstep_seed,
                .shard_count = config.shard_count,
                .locks_max = bound(config.locks_max),
                .waiters_max = bound(config.waiters_max),
                .tokens_end = config.grants_max == 0 ? engine::token_limit : config.grants_max + 1}) {
    model_.max_locks = config.locks_max;
    model_.max_waiters = config.waiters_max;
    model_.max_grants = config.grants_max;
    for (const SessionId id : config.sessions) {
      sessions_.emplace_back(id, static_cast<std::uint32_t>(sessions_.size()) + 7);
      model_ = model::step(std::move(model_), model::SessionBegins{id}).state;
    }
  }

  /// Does it to both. Nothing, or how the answers or the wake-ups differ (X, H, W, C, T, S2, S5, E1). The session is
  /// one of those that began. What only the caller can do wrong (a Wakeup that was never sent arrives) is not done.
  std::optional<std::string> act(const Event& event) {
    pass_time();
    switch (event.what) {
      case What::asks:
        return asks(event);
      case What::times_out:
        return leaves_line(event, engine::Leave::timeout, model::WaitTimesOut{event.session});
      case What::learns:
        if (in_flight_.erase(event.session) > 0) table_.accept_grant(session(event.session));
        replies_.clear();
        return std::nullopt;
      case What::ends:
        return ends(event);
    }
    return std::nullopt;
  }

  /// Compares all that can be seen without asking for a key: the listings with the holders and the lines in their order
  /// (L1, E2), the tokens (T1), the totals (L3, E3), what each session holds, whether it waits and whether it is dead
  /// (S2); and asks the engine for its broken invariants.
  std::optional<std::string> look() {
    if (auto difference = look_at_listings()) return difference;
    if (auto difference = look_at_claims()) return difference;
    for (const LockKind kind : both_kinds) {
      if (table_.key_count(kind) != model_.keys_held(kind)) return "the numbers of keys differ";
      if (table_.orphan_count(kind) != model_.orphans.at(kind)) return "the numbers of orphans differ";
    }
    for (const auto& session : sessions_) {
      const std::uint64_t unknown = is_in_flight(session.id) ? 1 : 0;
      if (session.held + unknown != model_.locks_of(session.id).size())
        return "the numbers of a session's locks differ";
      if (session.waits() != is_busy(session.id)) return "one side knows a session's wait";
      if (session.ended != model_.ended.contains(session.id)) return "one side knows a session's end";
    }
    return table_.check_invariants();
  }

  /// Compares what each of `askers` learns about a key by `i` and `si` (X3, H3), and by `d K` and `sd K` (L1).
  std::optional<std::string> look_at(const Key& key, const std::vector<SessionId>& askers) {
    for (const LockKind kind : both_kinds) {
      std::vector<SessionId> seen;
      table_.visit_holders(kind, key, [&](SessionId holder) { seen.push_back(holder); });
      if (seen != sessions_of(model_.holders({kind, key}))) return "the holders of a key differ: " + shown(key);
    }
    return look_by({Verb::inspect, Verb::inspect_shared}, key, askers);
  }

  /// The same by `iw`, `siw`, `t` and `st` (W8, T2).
  std::optional<std::string> look_at_line(const Key& key, const std::vector<SessionId>& askers) {
    return look_by({Verb::inspect_line, Verb::inspect_shared_line, Verb::token, Verb::token_shared}, key, askers);
  }

  const model::LockModel& model() const { return model_; }

  /// What the last event was answered, its own reply first, then those to the ones that it let through.
  const std::vector<model::Reply>& replies() const { return replies_; }

  /// Whether a session was handed a lock and does not know of it yet; whether it waits, or believes that it does.
  bool is_in_flight(SessionId id) const { return in_flight_.contains(id); }
  bool is_busy(SessionId id) const { return is_in_flight(id) || model_.wait_of(id).has_value(); }

 private:
  using Claims = std::map<model::Lock, std::vector<engine::Claim>>;

  static std::uint64_t bound(std::uint64_t number) {
    return number == 0 ? std::numeric_limits<std::uint64_t>::max() : number;
  }

  engine::SessionLocks& session(SessionId id) { return *std::ranges::find(sessions_, id, &engine::SessionLocks::id); }

  void pass_time() {
    ++now_;
    for (const auto& [lock, state] : model_.locks) {
      hold_ms_[lock.kind] += state.holders.size();
      wait_ms_[lock.kind] += state.line.size();
    }
  }

  /// A step of the model, or one of several that one event is made of.
  void tell(const model::Event& event) {
    auto [state, replies] = model::step(std::move(model_), event);
    model_ = std::move(state);
    replies_.insert(replies_.end(), replies.begin(), replies.end());
  }

  /// The engine's side of an event against the model's: replies_. Of several locks that are freed in one event each
  /// side has an order of its own; of one lock the order counts.
  std::optional<std::string> compare(const Event& event, const std::optional<Answer>& answer,
                                     const engine::Wakeups& wakeups) {
    const bool is_short = wakeups.empty() && replies_.size() == (answer ? 1 : 0);  // the most frequent by far
    if (is_short && (!answer || (replies_[0].to == event.session && replies_[0].answer == *answer)))
      return std::nullopt;
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

  /// The engine does not say which key it answers for; a session waits for one at most.
  Key key_for(SessionId to, const Key& otherwise) const {
    const auto expected = std::ranges::find(replies_, to, &model::Reply::to);
    return expected == replies_.end() ? otherwise : expected->key;
  }

  std::optional<std::string> asks(const Event& event) {
    if (event.verb == Verb::cancel) {
      return leaves_line(event, engine::Leave::cancel, model::WaitIsCanceled{event.session});
    }
    if (event.verb == Verb::release_all) return event.budget == all_locks ? releases_all(event) : releases_slice(event);
    const auto grants_before = model_.grants;
    const bool was_busy = is_busy(event.session);
    auto difference = request(event);
    if (!is_get(event) || was_busy) return difference;
    const LockKind kind = lock_of(event)->kind;
    grants_[kind] += model_.grants - grants_before;
    if (model_.wait_of(event.session)) ++waits_[kind];
    return difference;
  }

  std::optional<std::string> look_by(std::initializer_list<Verb> verbs, const Key& key,
                                     const std::vector<SessionId>& askers) {
    for (const Verb verb : verbs) {
      for (const SessionId asker : askers) {
        if (auto difference = request({.session = asker, .verb = verb, .key = key})) return difference;
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> request(const Event& event) {
    replies_.clear();
    if (!is_in_flight(event.session)) {
      tell(model::SessionAsks{event.session, event.verb, event.key, event.limit, event.milliseconds});
    }
    engine::Wakeups wakeups;
    auto answer = ask(table_, session(event.session), event, now_, wakeups);
    if (answer && !replies_.empty()) {
      if (auto broken = translate_token(event, *answer)) return broken;
    }
    return compare(event, answer, wakeups);
  }

  /// T2: puts the model's number for a grant in the place of the token, if it can be that.
  std::optional<std::string> translate_token(const Event& event, Answer& answer) {
    if (answer.outcome != Outcome::lock_token && answer.outcome != Outcome::shared_token) return std::nullopt;
    const Answer& expected = replies_.front().answer;
    if (expected.outcome != answer.outcome) return std::nullopt;
    auto broken = tokens_.see({*lock_of(event), expected.number, answer.number});
    answer.number = expected.number;
    return broken;
  }

  /// W5, W9. One who does not wait, or was handed the lock already: neither side says anything.
  std::optional<std::string> leaves_line(const Event& event, engine::Leave why, const model::Event& happened) {
    replies_.clear();
    tell(happened);
    engine::Wakeups wakeups;
    const auto answer = table_.leave_line(session(event.session), why, now_, wakeups);
    return compare(event, answer, wakeups);
  }

  /// E1 in one step.
  std::optional<std::string> releases_all(const Event& event) {
    replies_.clear();
    const bool answers = !is_busy(event.session) && model_.live.contains(event.session);
    if (answers) tell(model::SessionAsks{event.session, Verb::release_all, ""});
    engine::Wakeups wakeups;
    const std::size_t released = table_.release_some(session(event.session), all_locks, now_, wakeups);
    if (!answers && released > 0) return "locks are released for one who may not ask";
    return compare(event, answers ? std::optional(Answer{Outcome::locks_released, released}) : std::nullopt, wakeups);
  }

  std::optional<std::string> releases_slice(const Event& event) {
    replies_.clear();
    const auto locks_before = model_.locks_of(event.session);
    const bool releases = !is_busy(event.session) && model_.live.contains(event.session);
    engine::Wakeups wakeups;
    const std::size_t released = table_.release_some(session(event.session), event.budget, now_, wakeups);
    if (released != (releases ? std::min(event.budget, locks_before.size()) : 0)) return "a slice is not what it says";
    if (tell_what_is_free<model::LockReleased>(event.session, locks_before) != released) {
      return "a slice freed other than it says";
    }
    return compare(event, std::nullopt, wakeups);
  }

  std::optional<std::string> ends(const Event& event) {
    replies_.clear();
    tell(model::SessionEndBegins{event.session});
    in_flight_.erase(event.session);
    const auto locks_before = model_.locks_of(event.session);
    engine::Wakeups wakeups;
    const bool is_over = table_.end_some(session(event.session), event.budget, now_, wakeups);
    const std::size_t freed = tell_what_is_free<model::LockOrphaned>(event.session, locks_before);
    if (freed != std::min(event.budget, locks_before.size()))
      return "a slice freed " + std::to_string(freed) + " locks";
    if (is_over && freed != locks_before.size()) return "the end is called over and is not";
    if (!is_over && event.budget > locks_before.size()) return "the end is over and is not called so";
    return compare(event, std::nullopt, wakeups);
  }

  /// The engine frees the locks of a session in an order of its own. So the model is told of those in which the engine
  /// no longer lists it; that nobody else's went, look() sees. Returns how many.
  template <class Freed>
  std::size_t tell_what_is_free(SessionId id, const std::vector<model::Lock>& locks) {
    std::size_t freed = 0;
    for (const model::Lock& lock : locks) {
      bool is_held = false;
      table_.visit_holders(lock.kind, lock.key, [&](SessionId holder) { is_held = is_held || holder == id; });
      if (is_held) continue;
      tell(Freed{id, lock});
      ++freed;
    }
    return freed;
  }

  static std::vector<SessionId> sessions_of(const std::vector<model::Holder>& holders) {
    std::vector<SessionId> sessions;
    for (const model::Holder& holder : holders) sessions.push_back(holder.session);
    return sessions;
  }

  std::optional<std::string> look_at_listings() const {
    std::set<model::Lock> seen;
    bool differs = false;
    for (const LockKind kind : both_kinds) {
      const auto see = [&](std::string_view key, std::uint32_t, auto for_each_holder) {
        std::vector<SessionId> holders;
        for_each_holder([&](SessionId holder) { holders.push_back(holder); });
        const model::Lock lock{kind, Key(key)};
        differs = differs || !seen.insert(lock).second || holders != sessions_of(model_.holders(lock));
      };
      engine::TableCursor cursor;
      while (table_.visit(kind, cursor, 3, see)) {
      }
    }
    if (differs || seen.size() != model_.locks.size()) return "the listings differ";
    return std::nullopt;
  }

  std::optional<std::string> look_at_claims() {
    Claims claims;
    const auto see = [&](LockKind kind, std::string_view key, std::uint32_t, auto for_each_claim) {
      auto& of_lock = claims[{kind, Key(key)}];
      for_each_claim([&](const engine::Claim& claim) { of_lock.push_back(claim); });
    };
    engine::TableCursor cursor;
    while (table_.visit_claims(cursor, 3, see)) {
    }
    if (claims.size() != model_.locks.size()) return "the listings with lines differ in their keys";
    for (const auto& [lock, of_lock] : claims) {
      if (auto difference = look_at_claims_of(lock, of_lock)) return *difference + ": " + shown(lock.key);
    }
    return look_at_totals(claims);
  }

  /// E2: first the holders in the order of taking, each with a token that can be his, then those in line.
  std::optional<std::string> look_at_claims_of(const model::Lock& lock, const std::vector<engine::Claim>& claims) {
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

  /// L3, E3. Of the histograms their sums alone: all the time that anybody held a lock or waited has to be either in
  /// them or in the age of a claim.
  std::optional<std::string> look_at_totals(const Claims& claims) {
    const engine::Totals totals = table_.totals();
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

  Table table_;
  std::vector<engine::SessionLocks> sessions_;
  model::LockModel model_;

  std::set<SessionId> in_flight_;  // who was handed a lock and has not learned of it; none of them is dead
  std::vector<model::Reply> replies_;

  // What the model does not know: tokens, time, and numbers by kind.
  model::TokenRule tokens_;
  engine::Moment now_ = 0;
  PerKind grants_;   // since the start
  PerKind waits_;    // begun
  PerKind hold_ms_;  // the sum over all holders of how long they have held
  PerKind wait_ms_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_LOCKSTEP_H_
