// Tables with one fault each, which the comparison with the model must find: were one not found, the comparison would
// be dead.
#ifndef LOCKD_PROPTESTS_FAULTY_TABLES_H_
#define LOCKD_PROPTESTS_FAULTY_TABLES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "proptests/lockstep.h"
#include "proptests/model_table.h"

namespace lockd::proptests {

/// X1 broken: who holds a key can't get it again.
struct RefusesTheHolder : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const auto held_before = session.held;
    const auto answer = EngineTable::get(session, get, now);
    const bool again = answer && answer->outcome == Outcome::lock_get_success && session.held == held_before;
    return again ? Answer{Outcome::lock_get_failure} : answer;
  }
};

/// X2 broken: it releases whoever holds the key.
struct ReleasesForOthers : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) {
    const auto answer = EngineTable::release(session, kind, key, now, wakeups);
    return answer && answer->outcome == Outcome::lock_release_failure && EngineTable::key_count(kind) > 0
               ? Answer{Outcome::lock_release_success}
               : answer;
  }
};

/// X3 broken: only the holder learns that a key is held.
struct HidesOthersLocks : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    const auto answer = EngineTable::inspect(session, kind, key);
    bool mine = false;
    EngineTable::visit_holders(kind, key, [&](SessionId holder) { mine = mine || holder == session.id; });
    return answer && !mine && kind == LockKind::exclusive ? Answer{Outcome::lock_not_locked} : answer;
  }
};

/// H1 broken: it counts no more than `Most` holders.
template <std::uint64_t Most>
struct CapsHolders : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    auto answer = EngineTable::get(session, get, now);
    if (answer) answer->number = std::min(answer->number, Most);
    return answer;
  }
};

/// L1 broken: a key's holders come in reverse.
struct ReversesHolders : EngineTable {
  using EngineTable::EngineTable;
  template <class See>
  void visit_holders(LockKind kind, std::string_view key, See see) const {
    std::vector<SessionId> holders;
    EngineTable::visit_holders(kind, key, [&](SessionId holder) { holders.push_back(holder); });
    std::for_each(holders.rbegin(), holders.rend(), see);
  }
};

/// L3 broken: it loses the count of keys beyond `Most`.
template <std::uint64_t Most>
struct CapsKeys : EngineTable {
  using EngineTable::EngineTable;
  std::uint64_t key_count(LockKind kind) const { return std::min(EngineTable::key_count(kind), Most); }
};

/// L3 broken: shared orphans are not counted.
struct ForgetsOrphans : EngineTable {
  using EngineTable::EngineTable;
  std::uint64_t orphan_count(LockKind kind) const {
    return kind == LockKind::shared ? 0 : EngineTable::orphan_count(kind);
  }
};

/// L5 broken: a listing leaves out the first key of each slice that has two.
struct OmitsFromListings : EngineTable {
  using EngineTable::EngineTable;
  template <class See>
  bool visit(LockKind kind, engine::TableCursor& cursor, std::size_t budget, See see) const {
    const bool omits = EngineTable::key_count(kind) > 1;
    bool first = true;
    return EngineTable::visit(kind, cursor, budget,
                              [&](std::string_view key, std::uint32_t count, auto for_each_holder) {
                                if (!omits || !first) see(key, count, for_each_holder);
                                first = false;
                              });
  }
};

/// S2 broken: a dead session is obeyed.
struct ObeysTheDead : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const bool dead = session.ended;
    session.ended = false;
    const auto answer = EngineTable::get(session, get, now);
    session.ended = dead;
    return answer;
  }
};

/// S2 broken: the end of a session leaves a lock behind that it took last, if it holds two.
struct LeavesALock : EngineTable {
  using EngineTable::EngineTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    if (session.held < 2 || budget < 2) return EngineTable::end_some(session, budget, now, wakeups);
    EngineTable::end_some(session, session.held - 1, now, wakeups);
    return true;
  }
};

/// S5 broken: shared locks are not bounded.
struct BoundsOneKindOnly : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const auto held = session.held;
    if (get.kind == LockKind::shared) session.held = 0;
    const auto answer = EngineTable::get(session, get, now);
    if (get.kind == LockKind::shared) session.held += held;
    return answer;
  }
};

// Waiting, limits and tokens. The descendants of EngineTable are the engine with one call bent; those of ModelTable do
// what no caller of the engine can make it do.

/// C1 broken: who asks for a limited share goes past the line.
struct OvertakesTheLine : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    engine::Get heedless = get;
    heedless.heeds_line = heedless.heeds_line && get.kind == LockKind::exclusive;
    return EngineTable::get(session, heedless, now);
  }
};

/// C2 broken: everybody in line has the limit of the last who came.
struct UsesAnotherSLimit : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const auto answer = ModelTable::get(session, get, now);
    if (const auto wait = state_.wait_of(session.id)) {
      for (model::Waiter& waiter : state_.locks.at(*wait).line) waiter.limit = get.limit;
    }
    return answer;
  }
};

/// W3 broken: last come, first served.
struct LastComeFirstServed : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const bool waited = session.waits();
    const auto answer = ModelTable::get(session, get, now);
    if (const auto wait = state_.wait_of(session.id); wait && !waited) {
      auto& line = state_.locks.at(*wait).line;
      std::rotate(line.begin(), line.end() - 1, line.end());
      note_changes(now);
    }
    return answer;
  }
};

/// W4 broken: a release leaves the key to whoever comes, and `g` takes it though there is a line.
struct FreesInsteadOfHandingOver : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) {
    const auto found = state_.locks.find({kind, Key(key)});
    if (found == state_.locks.end()) return ModelTable::release(session, kind, key, now, wakeups);
    hides_changes_ = true;
    const auto line = std::exchange(found->second.line, {});
    const auto answer = ModelTable::release(session, kind, key, now, wakeups);
    hides_changes_ = false;
    if (!line.empty()) state_.locks[{kind, Key(key)}].line = line;
    note_changes(now);
    return answer;
  }
};

/// W5 broken: when the first in line leaves, nobody looks whether the next one may go in. by_death: only when it dies.
template <bool by_death>
struct ForgetsWhoComesNext : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) {
    if (by_death) return ModelTable::leave_line(session, why, now, wakeups);
    return forget(session, now, [&] { return ModelTable::leave_line(session, why, now, wakeups); });
  }
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    if (!by_death) return ModelTable::end_some(session, budget, now, wakeups);
    return forget(session, now, [&] { return ModelTable::end_some(session, budget, now, wakeups); });
  }

 private:
  /// Those behind the session are hidden while it leaves.
  template <class Call>
  auto forget(const engine::SessionLocks& session, engine::Moment now, Call call) {
    const auto wait = state_.wait_of(session.id);
    std::vector<model::Waiter> behind;
    if (wait) {
      auto& line = state_.locks.at(*wait).line;
      if (line.front().session == session.id) behind.assign(line.begin() + 1, line.end());
      if (!behind.empty()) line.resize(1);
    }
    hides_changes_ = true;
    const auto result = call();
    hides_changes_ = false;
    if (!behind.empty()) state_.locks[*wait].line = behind;
    note_changes(now);
    return result;
  }
};

/// E1, W4 broken: `ra` frees the exclusive locks without handing them over.
struct ReleasesAllToNobody : ModelTable {
  using ModelTable::ModelTable;
  std::size_t release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                           engine::Wakeups& wakeups) {
    std::map<model::Lock, std::vector<model::Waiter>> lines;
    for (const model::Lock& lock : state_.locks_of(session.id)) {
      if (may_ask(session)) lines[lock] = std::exchange(state_.locks.at(lock).line, {});
    }
    hides_changes_ = true;
    const std::size_t released = ModelTable::release_some(session, budget, now, wakeups);
    hides_changes_ = false;
    for (const auto& [lock, line] : lines) {
      if (!line.empty()) state_.locks[lock].line = line;
    }
    note_changes(now);
    return released;
  }
};

/// W6 broken: a circle of `length` or more is not seen, and its sessions wait for ever.
template <std::size_t length>
struct MissesCircles : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const auto answer = ModelTable::get(session, get, now);
    if (!answer || answer->outcome != Outcome::lock_get_deadlock) return answer;
    std::size_t found = 1;
    for (SessionId next = state_.holder(Key(get.key)); next != session.id; ++found) {
      next = state_.holder(state_.wait_of(next)->key);
    }
    if (found < length) return answer;
    state_.locks.at({LockKind::exclusive, Key(get.key)}).line.push_back({session.id, 1});
    session.wait = engine::SessionLocks::Wait{LockKind::exclusive, {}};
    note_changes(now);
    return std::nullopt;
  }
};

/// W6 broken: a wait in a shared line counts.
struct ImaginesCircles : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const auto wait = state_.wait_of(state_.holder(Key(get.key)));
    const bool imagined = wait && wait->kind == LockKind::shared && get.kind == LockKind::exclusive && get.waits;
    const auto holders = wait ? state_.holders(*wait) : std::vector<model::Holder>{};
    const bool holds_it = std::ranges::count(holders, session.id, &model::Holder::session) > 0;
    if (may_ask(session) && imagined && holds_it) return Answer{Outcome::lock_get_deadlock};
    return ModelTable::get(session, get, now);
  }
};

/// T1 broken: tokens grow by a step for every other grant only.
struct RepeatsTokens : EngineTable {
  using EngineTable::EngineTable;
  template <class See>
  bool visit_claims(engine::TableCursor& cursor, std::size_t budget, See see) const {
    return EngineTable::visit_claims(
        cursor, budget, [&](LockKind kind, std::string_view key, std::uint32_t count, auto for_each_claim) {
          see(kind, key, count, [&](auto f) {
            for_each_claim([&](engine::Claim claim) { f((claim.token = (claim.token + 1) / 2, claim)); });
          });
        });
  }
  std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    auto answer = EngineTable::token(session, kind, key);
    if (answer) answer->number = (answer->number + 1) / 2;
    return answer;
  }
};

/// T1 broken: of two grants of a key the later one's token is the smaller.
struct CountsTokensDown : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    auto answer = EngineTable::token(session, kind, key);
    if (answer && answer->number > 0) answer->number = 1'000'000 - answer->number;
    return answer;
  }
  template <class See>
  bool visit_claims(engine::TableCursor& cursor, std::size_t budget, See see) const {
    return EngineTable::visit_claims(
        cursor, budget, [&](LockKind kind, std::string_view key, std::uint32_t count, auto for_each_claim) {
          see(kind, key, count, [&](auto f) {
            for_each_claim([&](engine::Claim claim) {
              if (claim.token != 0) claim.token = 1'000'000 - claim.token;
              f(claim);
            });
          });
        });
  }
};

/// T1 broken: waiters have no token set aside. With few tokens a hand-over takes one that there is not.
struct SetsNoTokensAside : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
    const std::uint64_t grants_max = state_.max_grants;
    if (grants_max != 0) state_.max_grants += state_.waiters();
    const auto answer = ModelTable::get(session, get, now);
    state_.max_grants = grants_max;
    return answer;
  }
};

/// S2 broken: the session that ends stays in its line.
struct KeepsTheDeadInLine : ModelTable {
  using ModelTable::ModelTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    const auto wait = state_.wait_of(session.id);
    const bool is_over = ModelTable::end_some(session, budget, now, wakeups);
    if (wait && state_.locks.contains(*wait)) state_.locks.at(*wait).line.push_back({session.id, 1});
    note_changes(now);
    return is_over;
  }
};

/// W5, W9 broken: timeout or cancel is answered though the lock was handed over before.
struct AnswersTwice : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) {
    const auto answer = EngineTable::leave_line(session, why, now, wakeups);
    return answer || !session.waits() ? answer : Answer{Outcome::lock_get_canceled};
  }
};

/// W4 broken: of several who are let through at once, one is not told.
struct LosesAWakeup : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) {
    const auto answer = EngineTable::release(session, kind, key, now, wakeups);
    if (wakeups.size() > 1) wakeups.pop_back();
    return answer;
  }
};

/// W4 broken: who gets a lock is told twice.
struct WakesTwice : EngineTable {
  using EngineTable::EngineTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups) {
    const bool is_over = EngineTable::end_some(session, budget, now, wakeups);
    if (!wakeups.empty()) wakeups.push_back(engine::Wakeup(wakeups.back()));
    return is_over;
  }
};

/// W2 broken: one who waits is obeyed.
struct ObeysTheWaiting : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind, std::string_view key) const {
    engine::SessionLocks idle = session;
    idle.wait.reset();
    return EngineTable::inspect(idle, kind, key);
  }
};

/// W7 broken: a line may be longer by one than it should.
struct BoundsLinesTooLate : ModelTable {
  explicit BoundsLinesTooLate(Config config) : ModelTable(later(config)) {}

 private:
  static Config later(Config config) {
    if (config.waiters_max != std::numeric_limits<std::uint64_t>::max()) ++config.waiters_max;
    return config;
  }
};

/// S5 broken: what was handed over is not counted.
struct ForgetsWhatWasHandedOver : EngineTable {
  using EngineTable::EngineTable;
  void accept_grant(engine::SessionLocks& session) {
    EngineTable::accept_grant(session);
    --session.held;
  }
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_FAULTY_TABLES_H_
