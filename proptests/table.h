// A lock table as the tests drive it, whatever is behind it: the engine, the model, or one of them with a fault.
#ifndef LOCKD_PROPTESTS_TABLE_H_
#define LOCKD_PROPTESTS_TABLE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/requests.h"
#include "engine/session_locks.h"
#include "engine/sharded_table.h"
#include "engine/totals.h"
#include "proptests/event.h"

namespace lockd::proptests {

using TableConfig = engine::ShardedTable<engine::NullMutex>::Config;

/// Always the same: what a run found must be found again.
inline constexpr engine::HashSeed lockstep_seed{1, 2};

inline constexpr std::array both_kinds = {LockKind::exclusive, LockKind::shared};

/// L5: a key that is held, and by whom, in the order of taking.
struct HeldKey {
  Key key;
  std::vector<SessionId> holders;
};

/// E2: a lock with all who hold it or wait for it.
struct ClaimedLock {
  model::Lock lock;
  std::vector<engine::Claim> claims;
};

/// The calls of engine::ShardedTable, which says what they do; what that gives to a function, slice by slice, is here
/// returned whole. One thread.
class Table {
 public:
  virtual ~Table() = default;

  /// Another one in the same state, that goes on alone.
  virtual std::unique_ptr<Table> fork() const = 0;

  virtual std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) = 0;
  virtual std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key,
                                        engine::Moment now, engine::Wakeups& wakeups) = 0;
  virtual std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                        std::string_view key) const = 0;
  virtual std::optional<Answer> inspect_line(const engine::SessionLocks& session, LockKind kind,
                                             std::string_view key) const = 0;
  virtual std::optional<Answer> token(const engine::SessionLocks& session, LockKind kind,
                                      std::string_view key) const = 0;
  virtual std::size_t release_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                                   engine::Wakeups& wakeups) = 0;
  virtual std::optional<Answer> leave_line(engine::SessionLocks& session, engine::Leave why, engine::Moment now,
                                           engine::Wakeups& wakeups) = 0;
  virtual void accept_grant(engine::SessionLocks& session) = 0;
  virtual bool end_some(engine::SessionLocks& session, std::size_t budget, engine::Moment now,
                        engine::Wakeups& wakeups) = 0;

  virtual std::vector<SessionId> holders(LockKind kind, std::string_view key) const = 0;
  virtual std::vector<HeldKey> listing(LockKind kind) const = 0;
  virtual std::vector<ClaimedLock> claims() const = 0;
  virtual engine::Totals totals() const = 0;
  virtual std::optional<std::string> check_invariants() const = 0;

 protected:
  Table() = default;
  Table(const Table&) = default;
  Table& operator=(const Table&) = default;
};

/// The engine.
class EngineTable : public Table {
 public:
  explicit EngineTable(const TableConfig& config) : table_(config) {}

  std::unique_ptr<Table> fork() const override { return std::make_unique<EngineTable>(*this); }

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
  std::optional<std::string> check_invariants() const override;

 private:
  engine::ShardedTable<engine::NullMutex> table_;
};

/// A table that is chosen at run time, and copied as a value: a copy is a fork.
class AnyTable {
 public:
  explicit AnyTable(std::unique_ptr<Table> table) : table_(std::move(table)) {}
  ~AnyTable() = default;
  AnyTable(const AnyTable& other) : table_(other.table_->fork()) {}
  AnyTable(AnyTable&&) noexcept = default;
  AnyTable& operator=(const AnyTable& other) { return *this = AnyTable(other); }
  AnyTable& operator=(AnyTable&&) noexcept = default;

  Table& operator*() { return *table_; }
  const Table& operator*() const { return *table_; }
  Table* operator->() { return table_.get(); }
  const Table* operator->() const { return table_.get(); }

 private:
  std::unique_ptr<Table> table_;
};

using TableMaker = AnyTable (*)(const TableConfig&);

/// What makes a T, which may leave out fork().
template <class T>
AnyTable make_table(const TableConfig& config) {
  struct Forkable final : T {
    using T::T;
    std::unique_ptr<Table> fork() const override { return std::make_unique<Forkable>(*this); }
  };
  return AnyTable(std::make_unique<Forkable>(config));
}

/// A request that names a key, put to the table as the session puts it. Nothing where there is no answer (yet), and for
/// any other request.
std::optional<Answer> ask(Table& table, engine::SessionLocks& asking, const Event& event, engine::Moment now,
                          engine::Wakeups& wakeups);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_TABLE_H_
