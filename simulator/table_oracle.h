// What the lock table does under its mutexes, beside the specification: each call's effect is done to the model in the
// moment in which it happens in the table.
#ifndef LOCKD_SIMULATOR_TABLE_ORACLE_H_
#define LOCKD_SIMULATOR_TABLE_ORACLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/requests.h"
#include "engine/session_locks.h"
#include "model/lock_model.h"
#include "model/token_rule.h"
#include "simulator/mutex.h"

namespace lockd::simulator {

/// All claims of one shard, or of a table.
using Claims = std::map<model::Lock, std::vector<engine::Claim>>;

/// One call of the table by a fiber, from its begin to its end. Several fibers can each be in the middle of one.
struct TableCall {
  enum class Kind : std::uint8_t { ask, leave, release, end };

  Kind kind;
  const engine::SessionLocks& session;
  engine::Wakeups& woken;
  model::SessionAsks request = {};  // of Kind::ask
  engine::Leave why = {};           // of Kind::leave
  std::size_t woken_checked = woken.size();
  bool closes_circle = false;              // when wait_mutex_ was taken (W6)
  bool waited = session.waits();           // at the begin
  std::set<model::Lock> held_before = {};  // in the shard that is locked
  std::optional<Answer> expected = std::nullopt;
};

/// When a call takes effect: a request about one key when its last shard is unlocked, after which its fiber goes on
/// undisturbed to the end of the call; a refusal for a circle when wait_mutex_ is taken, since the circle must exist
/// then; leaving a line when the shard is unlocked; the end of a session and `ra` at each shard that is unlocked, for
/// the locks that it gave up. The model does the same then (LockModel's slices), and answers, wake-ups in the order of
/// each line, tokens and what the session counts must agree.
///
/// Throws Failure at the first difference.
class TableOracle : public TableMutexWatch {
 public:
  /// claims_of: of a shard, without locking it.
  TableOracle(std::uint64_t locks_max, std::uint64_t waiters_max, std::function<Claims(std::size_t)> claims_of);

  void session_begins(SessionId session);

  void begin(TableCall& call);
  /// of Kind::ask and Kind::leave: with its answer.
  void end(TableCall& call, const std::optional<Answer>& answer);
  /// of the others.
  void end(TableCall& call);
  void accepts(const engine::SessionLocks& session);

  void locked(std::size_t mutex) override;
  void unlocks(std::size_t mutex) override;

  /// Holders and waiters that a look at a key saw, in their order (L1, E2).
  void saw(const model::Lock& lock, const std::vector<SessionId>& holders) const;
  void saw(const model::Lock& lock, const std::vector<engine::Claim>& claims);

  /// While no mutex is held: all claims of all shards.
  void compare(const Claims& claims);

  const model::LockModel& model() const { return model_; }

  /// What the table was asked by a session, and answered in the end: in the order of the requests, each once. A wait
  /// comes when it is over. `ra` is none of these.
  struct Answered {
    model::SessionAsks request;
    Answer answer;
  };
  std::optional<Answered> take_answer(SessionId session);

 private:
  using Replies = std::vector<model::Reply>;

  TableCall* running();
  Replies happen(const model::Event& event);
  void check_wakeups(TableCall& call, const Replies& replies, const std::map<SessionId, model::Lock>& waits);
  std::map<SessionId, model::Lock> waits_of_woken(const TableCall& call) const;
  void apply(TableCall& call, const std::vector<model::Event>& events);
  void check_held(const engine::SessionLocks& session) const;
  void ask(TableCall& call, const std::optional<Answer>& answer);
  void remember(TableCall& call, const std::optional<Answer>& answer);
  void learns(SessionId session, const Answer& answer);

  std::function<Claims(std::size_t)> claims_of_;
  model::LockModel model_;
  model::TokenRule tokens_;
  std::map<std::size_t, TableCall*> calls_;  // by fiber
  std::map<SessionId, std::deque<Answered>> answered_;
  std::map<SessionId, model::SessionAsks> waiting_;  // until their sessions know the outcome
  std::map<SessionId, Answer> granted_;              // likewise, of those that were let through
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_TABLE_ORACLE_H_
