#include "proptests/table.h"

#include <cstdint>

namespace lockd::proptests {
namespace {

// As many keys, or locks, as a slice of a walk has.
constexpr std::size_t slice = 3;

// Any of the five gets: 0 ms is no wait, and then a failure is called a timeout (W1, C2).
std::optional<Answer> get(Table& table, engine::SessionLocks& asking, const Event& event, engine::Moment now) {
  engine::Get get{.kind = lock_of(event)->kind, .key = event.key};
  if (get.kind == LockKind::shared) get.limit = event.verb == Verb::get_shared ? engine::no_limit : event.limit;
  get.heeds_line = event.verb != Verb::get_shared;
  const bool may_wait = event.verb == Verb::get_wait || event.verb == Verb::get_limited_wait;
  get.waits = may_wait && event.milliseconds > 0;
  auto answer = table.get(asking, get, now);
  if (!answer || !may_wait) return answer;
  if (answer->outcome == Outcome::lock_get_failure) answer->outcome = Outcome::lock_get_timeout;
  if (answer->outcome == Outcome::shared_get_failure) answer->outcome = Outcome::shared_get_timeout;
  return answer;
}

}  // namespace

std::optional<Answer> ask(Table& table, engine::SessionLocks& asking, const Event& event, engine::Moment now,
                          engine::Wakeups& wakeups) {
  const auto lock = lock_of(event);
  if (!lock) return std::nullopt;
  if (is_get(event)) return get(table, asking, event, now);
  switch (event.verb) {
    case Verb::release:
    case Verb::release_shared:
      return table.release(asking, lock->kind, event.key, now, wakeups);
    case Verb::inspect:
    case Verb::inspect_shared:
      return table.inspect(asking, lock->kind, event.key);
    case Verb::inspect_line:
    case Verb::inspect_shared_line:
      return table.inspect_line(asking, lock->kind, event.key);
    case Verb::token:
    case Verb::token_shared:
      return table.token(asking, lock->kind, event.key);
    default:
      return std::nullopt;
  }
}

std::optional<Answer> EngineTable::get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) {
  return table_.get(session, get, now);
}

std::optional<Answer> EngineTable::release(engine::SessionLocks& session, LockKind kind, std::string_view key,
                                           engine::Moment now, engine::Wakeups& wakeups) {
  return table_.release(session, kind, key, now, wakeups);
}

std::optional<Answer> EngineTable::inspect(const engine::SessionLocks& session, LockKind kind,
                                           std::string_view key) const {
  return table_.inspect(session, kind, key);
}

std::optional<Answer> EngineTable::inspect_line(const engine::SessionLocks& session, LockKind kind,
                                                std::string_view key) const {
  return table_.inspect_line(session, kind, key);
}

std::optional<Answer> EngineTable::token(const engine::SessionLocks& session, LockKind kind,
                                         std::string_view key) const {
  return table_.token(session, kind, key);
}

std::size_t EngineTable::release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                                      engine::Wakeups& wakeups) {
  return table_.release_some(session, budget, now, wakeups);
}

std::optional<Answer> EngineTable::leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                              engine::Wakeups& wakeups) {
  return table_.leave_line(session, why, now, wakeups);
}

void EngineTable::accept_grant(engine::SessionLocks& session) { table_.accept_grant(session); }

bool EngineTable::end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                           engine::Wakeups& wakeups) {
  return table_.end_some(session, budget, now, wakeups);
}

std::vector<SessionId> EngineTable::holders(LockKind kind, std::string_view key) const {
  std::vector<SessionId> found;
  table_.visit_holders(kind, key, [&](SessionId holder) { found.push_back(holder); });
  return found;
}

std::vector<HeldKey> EngineTable::listing(LockKind kind) const {
  std::vector<HeldKey> found;
  const auto see = [&](std::string_view key, std::uint32_t, auto for_each_holder) {
    auto& holders = found.emplace_back(HeldKey{Key(key), {}}).holders;
    for_each_holder([&](SessionId holder) { holders.push_back(holder); });
  };
  engine::TableCursor cursor;
  while (table_.visit(kind, cursor, slice, see)) {
  }
  return found;
}

std::vector<ClaimedLock> EngineTable::claims() const {
  std::vector<ClaimedLock> found;
  const auto see = [&](LockKind kind, std::string_view key, std::uint32_t, auto for_each_claim) {
    auto& claims = found.emplace_back(ClaimedLock{{kind, Key(key)}, {}}).claims;
    for_each_claim([&](const engine::Claim& claim) { claims.push_back(claim); });
  };
  engine::TableCursor cursor;
  while (table_.visit_claims(cursor, slice, see)) {
  }
  return found;
}

engine::Totals EngineTable::totals() const { return table_.totals(); }

std::optional<std::string> EngineTable::check_invariants() const { return table_.check_invariants(); }

}  // namespace lockd::proptests
