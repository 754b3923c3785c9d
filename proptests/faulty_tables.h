// Tables with one fault each, which the comparison with the model must find: were one not found, the comparison would
// be dead.
#ifndef LOCKD_PROPTESTS_FAULTY_TABLES_H_
#define LOCKD_PROPTESTS_FAULTY_TABLES_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proptests/lockstep.h"

namespace lockd::proptests {

/// X1 broken: who holds a key can't get it again.
struct RefusesTheHolder : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, LockKind kind, std::string_view key) {
    const auto held_before = session.held;
    const auto answer = EngineTable::get(session, kind, key);
    const bool again = answer && answer->outcome == Outcome::lock_get_success && session.held == held_before;
    return again ? Answer{Outcome::lock_get_failure} : answer;
  }
};

/// X2 broken: it releases whoever holds the key.
struct ReleasesForOthers : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key) {
    const auto answer = EngineTable::release(session, kind, key);
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
  std::optional<Answer> get(engine::SessionLocks& session, LockKind kind, std::string_view key) {
    auto answer = EngineTable::get(session, kind, key);
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
  std::optional<Answer> get(engine::SessionLocks& session, LockKind kind, std::string_view key) {
    const bool dead = session.ended;
    session.ended = false;
    const auto answer = EngineTable::get(session, kind, key);
    session.ended = dead;
    return answer;
  }
};

/// S2 broken: the end of a session leaves a lock behind that it took last, if it holds two.
struct LeavesALock : EngineTable {
  using EngineTable::EngineTable;
  bool end_some(engine::SessionLocks& session, std::size_t budget) {
    if (session.held < 2 || budget < 2) return EngineTable::end_some(session, budget);
    EngineTable::end_some(session, session.held - 1);
    return true;
  }
};

/// S5 broken: shared locks are not bounded.
struct BoundsOneKindOnly : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, LockKind kind, std::string_view key) {
    const auto held = session.held;
    if (kind == LockKind::shared) session.held = 0;
    const auto answer = EngineTable::get(session, kind, key);
    if (kind == LockKind::shared) session.held += held;
    return answer;
  }
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_FAULTY_TABLES_H_
