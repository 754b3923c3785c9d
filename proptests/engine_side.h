// A request as the session puts it to the engine, for all that drive the engine by events.
#ifndef LOCKD_PROPTESTS_ENGINE_SIDE_H_
#define LOCKD_PROPTESTS_ENGINE_SIDE_H_

#include <optional>

#include "engine/requests.h"
#include "engine/sharded_table.h"
#include "proptests/event.h"

namespace lockd::proptests {

using EngineTable = engine::ShardedTable<engine::NullMutex>;

/// Always the same: what a run found must be found again.
inline constexpr engine::HashSeed lockstep_seed{1, 2};

/// Any of the five gets: 0 ms is no wait, and then a failure is called a timeout (W1, C2).
template <class Table>
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

/// A request that names a key. Nothing where there is no answer (yet), and for any other request.
template <class Table>
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

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_ENGINE_SIDE_H_
