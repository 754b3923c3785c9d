// The descendants of EngineTable are the engine with one call bent; those of ModelTable do what no caller of the engine
// can make it do.
#include "proptests/faulty_tables.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "proptests/model_table.h"

namespace lockd::proptests {
namespace {

// X1 broken: who holds a key can't get it again.
struct RefusesTheHolder : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const auto held_before = session.held;
    const auto answer = EngineTable::get(session, get, now);
    const bool again = answer && answer->outcome == Outcome::lock_get_success && session.held == held_before;
    return again ? Answer{Outcome::lock_get_failure} : answer;
  }
};

// X2 broken: it releases whoever holds the key.
struct ReleasesForOthers : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) override {
    const auto answer = EngineTable::release(session, kind, key, now, wakeups);
    return answer && answer->outcome == Outcome::lock_release_failure && totals()[kind].keys > 0
               ? Answer{Outcome::lock_release_success}
               : answer;
  }
};

// X3 broken: only the holder learns that a key is held.
struct HidesOthersLocks : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                std::string_view key) const override {
    const auto answer = EngineTable::inspect(session, kind, key);
    const bool mine = std::ranges::count(holders(kind, key), session.id) > 0;
    return answer && !mine && kind == LockKind::exclusive ? Answer{Outcome::lock_not_locked} : answer;
  }
};

// H1 broken: it counts no more than `Most` holders.
template <std::uint64_t Most>
struct CapsHolders : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    auto answer = EngineTable::get(session, get, now);
    if (answer) answer->number = std::min(answer->number, Most);
    return answer;
  }
};

// L1 broken: a key's holders come in reverse.
struct ReversesHolders : EngineTable {
  using EngineTable::EngineTable;
  std::vector<SessionId> holders(LockKind kind, std::string_view key) const override {
    auto found = EngineTable::holders(kind, key);
    std::ranges::reverse(found);
    return found;
  }
};

// L3 broken: it loses the count of keys beyond `Most`.
template <std::uint64_t Most>
struct CapsKeys : EngineTable {
  using EngineTable::EngineTable;
  engine::Totals totals() const override {
    engine::Totals counted = EngineTable::totals();
    for (const LockKind kind : both_kinds) counted[kind].keys = std::min(counted[kind].keys, Most);
    return counted;
  }
};

// L3 broken: shared orphans are not counted.
struct ForgetsOrphans : EngineTable {
  using EngineTable::EngineTable;
  engine::Totals totals() const override {
    engine::Totals counted = EngineTable::totals();
    counted[LockKind::shared].orphans = 0;
    return counted;
  }
};

// L5 broken: a listing leaves out its first key, if it has two.
struct OmitsFromListings : EngineTable {
  using EngineTable::EngineTable;
  std::vector<HeldKey> listing(LockKind kind) const override {
    auto found = EngineTable::listing(kind);
    if (found.size() > 1) found.erase(found.begin());
    return found;
  }
};

// S2 broken: a dead session is obeyed.
struct ObeysTheDead : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const bool dead = session.ended;
    session.ended = false;
    const auto answer = EngineTable::get(session, get, now);
    session.ended = dead;
    return answer;
  }
};

// S2 broken: the end of a session leaves a lock behind that it took last, if it holds two.
struct LeavesALock : EngineTable {
  using EngineTable::EngineTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                engine::Wakeups& wakeups) override {
    if (session.held < 2 || budget < 2) return EngineTable::end_some(session, budget, now, wakeups);
    EngineTable::end_some(session, session.held - 1, now, wakeups);
    return true;
  }
};

// S5 broken: shared locks are not bounded.
struct BoundsOneKindOnly : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const auto held = session.held;
    if (get.kind == LockKind::shared) session.held = 0;
    const auto answer = EngineTable::get(session, get, now);
    if (get.kind == LockKind::shared) session.held += held;
    return answer;
  }
};

// Waiting, limits and tokens.

// C1 broken: who asks for a limited share goes past the line.
struct OvertakesTheLine : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    engine::Get heedless = get;
    heedless.heeds_line = heedless.heeds_line && get.kind == LockKind::exclusive;
    return EngineTable::get(session, heedless, now);
  }
};

// C2 broken: everybody in line has the limit of the last who came.
struct UsesAnotherSLimit : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const auto answer = ModelTable::get(session, get, now);
    if (const auto wait = state_.wait_of(session.id)) {
      for (model::Waiter& waiter : state_.locks.at(*wait).line) waiter.limit = get.limit;
    }
    return answer;
  }
};

// W3 broken: last come, first served.
struct LastComeFirstServed : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
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

// W4 broken: a release leaves the key to whoever comes, and `g` takes it though there is a line.
struct FreesInsteadOfHandingOver : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) override {
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

// W5 broken: when the first in line leaves, nobody looks whether the next one may go in. by_death: only when it dies.
template <bool by_death>
struct ForgetsWhoComesNext : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) override {
    if (by_death) return ModelTable::leave_line(session, why, now, wakeups);
    return forget(session, now, [&] { return ModelTable::leave_line(session, why, now, wakeups); });
  }
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                engine::Wakeups& wakeups) override {
    if (!by_death) return ModelTable::end_some(session, budget, now, wakeups);
    return forget(session, now, [&] { return ModelTable::end_some(session, budget, now, wakeups); });
  }

 private:
  // Those behind the session are hidden while it leaves.
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

// E1, W4 broken: `ra` frees the exclusive locks without handing them over.
struct ReleasesAllToNobody : ModelTable {
  using ModelTable::ModelTable;
  std::size_t release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                           engine::Wakeups& wakeups) override {
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

// W6 broken: a circle of `length` or more is not seen, and its sessions wait for ever.
template <std::size_t length>
struct MissesCircles : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
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

// W6 broken: a wait in a shared line counts.
struct ImaginesCircles : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const auto wait = state_.wait_of(state_.holder(Key(get.key)));
    const bool imagined = wait && wait->kind == LockKind::shared && get.kind == LockKind::exclusive && get.waits;
    const auto holders = wait ? state_.holders(*wait) : std::vector<model::Holder>{};
    const bool holds_it = std::ranges::count(holders, session.id, &model::Holder::session) > 0;
    if (may_ask(session) && imagined && holds_it) return Answer{Outcome::lock_get_deadlock};
    return ModelTable::get(session, get, now);
  }
};

// T1 broken in the way of `change`, that makes another token of one.
struct ChangesTokens : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind, std::string_view key) const override {
    auto answer = EngineTable::token(session, kind, key);
    if (answer && answer->number > 0) answer->number = change(answer->number);
    return answer;
  }
  std::vector<ClaimedLock> claims() const override {
    auto found = EngineTable::claims();
    for (ClaimedLock& lock : found) {
      for (engine::Claim& claim : lock.claims) claim.token = claim.token == 0 ? 0 : change(claim.token);
    }
    return found;
  }
  virtual std::uint64_t change(std::uint64_t token) const = 0;
};

// T1 broken: tokens grow by a step for every other grant only.
struct RepeatsTokens : ChangesTokens {
  using ChangesTokens::ChangesTokens;
  std::uint64_t change(std::uint64_t token) const override { return (token + 1) / 2; }
};

// T1 broken: of two grants of a key the later one's token is the smaller.
struct CountsTokensDown : ChangesTokens {
  using ChangesTokens::ChangesTokens;
  std::uint64_t change(std::uint64_t token) const override { return 1'000'000 - token; }
};

// T1 broken: waiters have no token set aside. With few tokens a hand-over takes one that there is not.
struct SetsNoTokensAside : ModelTable {
  using ModelTable::ModelTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const std::uint64_t grants_max = state_.max_grants;
    if (grants_max != 0) state_.max_grants += state_.waiters();
    const auto answer = ModelTable::get(session, get, now);
    state_.max_grants = grants_max;
    return answer;
  }
};

// S2 broken: the session that ends stays in its line.
struct KeepsTheDeadInLine : ModelTable {
  using ModelTable::ModelTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                engine::Wakeups& wakeups) override {
    const auto wait = state_.wait_of(session.id);
    const bool is_over = ModelTable::end_some(session, budget, now, wakeups);
    if (wait && state_.locks.contains(*wait)) state_.locks.at(*wait).line.push_back({session.id, 1});
    note_changes(now);
    return is_over;
  }
};

// W5, W9 broken: timeout or cancel is answered though the lock was handed over before.
struct AnswersTwice : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) override {
    const auto answer = EngineTable::leave_line(session, why, now, wakeups);
    return answer || !session.waits() ? answer : Answer{Outcome::lock_get_canceled};
  }
};

// W4 broken: of several who are let through at once, one is not told.
struct LosesAWakeup : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) override {
    const auto answer = EngineTable::release(session, kind, key, now, wakeups);
    if (wakeups.size() > 1) wakeups.pop_back();
    return answer;
  }
};

// W4 broken: who gets a lock is told twice.
struct WakesTwice : EngineTable {
  using EngineTable::EngineTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                engine::Wakeups& wakeups) override {
    const bool is_over = EngineTable::end_some(session, budget, now, wakeups);
    if (!wakeups.empty()) wakeups.push_back(engine::Wakeup(wakeups.back()));
    return is_over;
  }
};

// W2 broken: one who waits is obeyed.
struct ObeysTheWaiting : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                std::string_view key) const override {
    engine::SessionLocks idle = session;
    idle.wait.reset();
    return EngineTable::inspect(idle, kind, key);
  }
};

// W7 broken: a line may be longer by one than it should.
struct BoundsLinesTooLate : ModelTable {
  explicit BoundsLinesTooLate(const TableConfig& config) : ModelTable(later(config)) {}

 private:
  static TableConfig later(TableConfig config) {
    if (config.waiters_max != std::numeric_limits<std::uint64_t>::max()) ++config.waiters_max;
    return config;
  }
};

// S5 broken: what was handed over is not counted.
struct ForgetsWhatWasHandedOver : EngineTable {
  using EngineTable::EngineTable;
  void accept_grant(engine::SessionLocks& session) override {
    EngineTable::accept_grant(session);
    --session.held;
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const FaultyTable& table) { return out << table.name; }

std::vector<FaultyTable> tables_with_classic_faults() {
  return {
      {"refuses_the_holder", make_table<RefusesTheHolder>},
      {"releases_for_others", make_table<ReleasesForOthers>},
      {"hides_others_locks", make_table<HidesOthersLocks>},
      {"caps_holders_2", make_table<CapsHolders<2>>},
      {"reverses_holders", make_table<ReversesHolders>},
      {"caps_keys_1", make_table<CapsKeys<1>>},
      {"forgets_orphans", make_table<ForgetsOrphans>},
      {"omits_from_listings", make_table<OmitsFromListings>},
      {"obeys_the_dead", make_table<ObeysTheDead>},
      {"leaves_a_lock", make_table<LeavesALock>},
      {"bounds_one_kind_only", make_table<BoundsOneKindOnly>},
  };
}

std::vector<FaultyTable> tables_with_waiting_faults() {
  return {
      {"overtakes_the_line", make_table<OvertakesTheLine>},
      {"uses_another_s_limit", make_table<UsesAnotherSLimit>},
      {"last_come_first_served", make_table<LastComeFirstServed>},
      {"frees_instead_of_handing_over", make_table<FreesInsteadOfHandingOver>},
      {"forgets_who_comes_next_after_a_timeout", make_table<ForgetsWhoComesNext<false>>},
      {"forgets_who_comes_next_after_a_death", make_table<ForgetsWhoComesNext<true>>},
      {"releases_all_to_nobody", make_table<ReleasesAllToNobody>},
      {"misses_circles_of_2_and_more", make_table<MissesCircles<2>>},
      {"imagines_circles", make_table<ImaginesCircles>},
      {"repeats_tokens", make_table<RepeatsTokens>},
      {"counts_tokens_down", make_table<CountsTokensDown>},
      {"sets_no_tokens_aside", make_table<SetsNoTokensAside>},
      {"keeps_the_dead_in_line", make_table<KeepsTheDeadInLine>},
      {"answers_twice", make_table<AnswersTwice>},
      {"loses_a_wakeup", make_table<LosesAWakeup>},
      {"wakes_twice", make_table<WakesTwice>},
      {"obeys_the_waiting", make_table<ObeysTheWaiting>},
      {"bounds_lines_too_late", make_table<BoundsLinesTooLate>},
      {"forgets_what_was_handed_over", make_table<ForgetsWhatWasHandedOver>},
  };
}

std::vector<FaultyTable> tables_with_faults_in_crowds() {
  return {
      {"caps_holders_12", make_table<CapsHolders<12>>},
      {"caps_keys_1000", make_table<CapsKeys<1000>>},
      {"misses_circles_of_3_and_more", make_table<MissesCircles<3>>},
      {"misses_circles_of_5_and_more", make_table<MissesCircles<5>>},
  };
}

}  // namespace lockd::proptests
