// Tables in which what is done to one key, or under one name, shows at another.
#include <optional>
#include <string_view>

#include "proptests/faulty_tables.h"

namespace lockd::proptests {
namespace {

// F3 broken: keys that begin alike are one.
struct ComparesFirstBytes : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    engine::Get shortened = get;
    shortened.key = get.key.substr(0, 1);
    return EngineTable::get(session, shortened, now);
  }
  std::optional<Answer> release(engine::SessionLocks& session, LockKind kind, std::string_view key, engine::Moment now,
                                engine::Wakeups& wakeups) override {
    return EngineTable::release(session, kind, key.substr(0, 1), now, wakeups);
  }
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                std::string_view key) const override {
    return EngineTable::inspect(session, kind, key.substr(0, 1));
  }
};

// H1 broken: who takes a share is told how many there are of all keys.
struct CountsAllShares : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    auto answer = EngineTable::get(session, get, now);
    if (answer && answer->outcome == Outcome::shared_get_success) answer->number = totals()[LockKind::shared].holders;
    return answer;
  }
};

// X3 broken: the key that was seen to be free last is kept for whoever saw it.
struct ReservesByALook : EngineTable {
  using EngineTable::EngineTable;
  std::optional<Answer> inspect(const engine::SessionLocks& session, LockKind kind,
                                std::string_view key) const override {
    auto answer = EngineTable::inspect(session, kind, key);
    if (answer && answer->outcome == Outcome::lock_not_locked) {
      looker_ = session.id;
      seen_ = Key(key);
    }
    return answer;
  }
  std::optional<Answer> get(engine::SessionLocks& session, const engine::Get& get, engine::Moment now) override {
    const bool is_kept = get.kind == LockKind::exclusive && looker_ != SessionId::nobody && get.key == seen_;
    if (is_kept && session.id != looker_ && !session.waits()) return Answer{Outcome::lock_get_failure};
    return EngineTable::get(session, get, now);
  }

 private:
  mutable SessionId looker_ = SessionId::nobody;
  mutable Key seen_;
};

}  // namespace

std::vector<FaultyTable> tables_with_faults_across_keys() {
  return {
      {"compares_first_bytes", make_table<ComparesFirstBytes>},
      {"counts_all_shares", make_table<CountsAllShares>},
      {"reserves_by_a_look", make_table<ReservesByALook>},
  };
}

}  // namespace lockd::proptests
