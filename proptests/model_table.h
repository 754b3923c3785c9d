// The model behind the engine's interface: a table into which faults can be planted that the engine has no place for.
// What it does is the model's word for word, so that only the fault is left to be found; that it is sound without one
// says nothing about the engine.
#ifndef LOCKD_PROPTESTS_MODEL_TABLE_H_
#define LOCKD_PROPTESTS_MODEL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/lock_model.h"
#include "proptests/table.h"

namespace lockd::proptests {

/// Faulty descendants hide what they change, and call note_changes() where they change state_ themselves.
class ModelTable : public Table {
 public:
  explicit ModelTable(const TableConfig& config);

  std::unique_ptr<Table> fork() const override { return std::make_unique<ModelTable>(*this); }

  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override;
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) override;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                std::string_view key) const override;
  std::optional<Answer> inspect_line(const engine::SessionLocks& session, LockKind kind,
                                     std::string_view key) const override;
  std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind, std::string_view key) const override;
  std::size_t release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                           engine::Wakeups& wakeups) override;
  std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                   engine::Wakeups& wakeups) override;
  void accept_grant(engine::SessionLocks& session) override;
  bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                engine::Wakeups& wakeups) override;

  std::vector<SessionId> holders(LockKind kind, std::string_view key) const override;
  std::vector<HeldKey> listing(LockKind kind) const override;
  std::vector<ClaimedLock> claims() const override;
  engine::Totals totals() const override;

  /// None: that the comparison finds the fault is what is to be shown.
  std::optional<std::string> check_invariants() const override { return std::nullopt; }

 protected:
  using Replies = std::vector<model::Reply>;

  static bool may_ask(const engine::SessionLocks& session) { return !session.ended && !session.waits(); }

  /// A session is known from its first call on.
  void meet(const engine::SessionLocks& session);

  Replies tell(const model::Event& event, engine::Moment now);

  void wake(SessionId asker, const Replies& replies, engine::Wakeups& wakeups) const;

  /// The claims as they are now, those that are new beginning now; and those that are gone into the histograms.
  void note_changes(engine::Moment now);

  model::LockModel state_;
  bool hides_changes_ = false;  // while a fault takes something away and puts it back

 private:
  using Claims = std::vector<engine::Claim>;

  std::optional<Answer> look(const engine::SessionLocks& session, Verb verb, std::string_view key) const;

  template <class Freed>
  std::size_t release_slice(SessionId session, std::size_t budget, engine::Moment now, engine::Wakeups& wakeups);

  std::map<SessionId, std::uint32_t> homes_;
  std::map<model::Lock, Claims> claims_;
  engine::Totals counted_;  // grants, waits and times; the rest is seen in the state
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_MODEL_TABLE_H_
