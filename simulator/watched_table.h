// The real sharded table, with an oracle that watches each call.
#ifndef LOCKD_SIMULATOR_WATCHED_TABLE_H_
#define LOCKD_SIMULATOR_WATCHED_TABLE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sharded_table.h"
#include "simulator/mutex.h"
#include "simulator/table_oracle.h"

/// What sessions of SessionMutex work with: engine::ShardedTable<TableMutex>, every call of it, and what the oracle
/// says to that. Some faults can be planted here, between the session and the table.
template <>
class lockd::engine::ShardedTable<lockd::simulator::SessionMutex> {
 public:
  using Core = ShardedTable<simulator::TableMutex>;
  using Config = Core::Config;
  using Claim = engine::Claim;
  using Leave = engine::Leave;

  explicit ShardedTable(const Config& config)
      : shard_count_(config.shard_count),
        core_(made(config)),
        oracle_(bound(config.locks_max), bound(config.waiters_max),
                [this](std::size_t shard) { return claims_of(shard); }) {
    simulator::TableMutex::watch = &oracle_;
  }
  ShardedTable(const ShardedTable&) = delete;
  ShardedTable& operator=(const ShardedTable&) = delete;
  ~ShardedTable() { simulator::TableMutex::watch = nullptr; }

  HashedKey hashed(std::string_view key) const { return core_.hashed(key); }
  void prefetch(LockKind kind, const HashedKey& key) const noexcept { core_.prefetch(kind, key); }
  void prefetch_record(LockKind kind, const HashedKey& key) const noexcept { core_.prefetch_record(kind, key); }
  bool gains_by_prefetch() const noexcept { return core_.gains_by_prefetch(); }

  std::optional<Answer> get(SessionLocks& session, const Get& get, const HashedKey& key, Moment now) {
    return ask(session, verb_of(get), key.bytes, get.limit, get.waits ? 1 : 0, no_wakeups_,
               [&] { return core_.get(session, get, key, now); });
  }
  std::optional<Answer> get(SessionLocks& session, const Get& get, Moment now) {
    return this->get(session, get, hashed(get.key), now);
  }

  std::optional<Answer> release(SessionLocks& session, LockKind kind, const HashedKey& key, Moment now,
                                Wakeups& wakeups) {
    const Verb verb = kind == LockKind::exclusive ? Verb::release : Verb::release_shared;
    return ask(session, verb, key.bytes, 0, 0, wakeups,
               [&] { return core_.release(session, kind, key, now, wakeups); });
  }
  std::optional<Answer> release(SessionLocks& session, LockKind kind, std::string_view key, Moment now,
                                Wakeups& wakeups) {
    return release(session, kind, hashed(key), now, wakeups);
  }

  std::optional<Answer> inspect(const SessionLocks& session, LockKind kind, const HashedKey& key) {
    const Verb verb = kind == LockKind::exclusive ? Verb::inspect : Verb::inspect_shared;
    return ask(session, verb, key.bytes, 0, 0, no_wakeups_, [&] { return core_.inspect(session, kind, key); });
  }
  std::optional<Answer> inspect(const SessionLocks& session, LockKind kind, std::string_view key) {
    return inspect(session, kind, hashed(key));
  }

  std::optional<Answer> inspect_line(const SessionLocks& session, LockKind kind, const HashedKey& key) {
    const Verb verb = kind == LockKind::exclusive ? Verb::inspect_line : Verb::inspect_shared_line;
    return ask(session, verb, key.bytes, 0, 0, no_wakeups_, [&] { return core_.inspect_line(session, kind, key); });
  }
  std::optional<Answer> inspect_line(const SessionLocks& session, LockKind kind, std::string_view key) {
    return inspect_line(session, kind, hashed(key));
  }

  std::optional<Answer> token(const SessionLocks& session, LockKind kind, const HashedKey& key) {
    const Verb verb = kind == LockKind::exclusive ? Verb::token : Verb::token_shared;
    return ask(session, verb, key.bytes, 0, 0, no_wakeups_, [&] { return core_.token(session, kind, key); });
  }
  std::optional<Answer> token(const SessionLocks& session, LockKind kind, std::string_view key) {
    return token(session, kind, hashed(key));
  }

  std::size_t release_some(SessionLocks& session, std::size_t budget, Moment now, Wakeups& wakeups) {
    simulator::TableCall call{simulator::TableCall::Kind::release, session, wakeups};
    oracle_.begin(call);
    const std::size_t released = core_.release_some(session, budget, now, wakeups);
    oracle_.end(call);
    return released;
  }

  std::optional<Answer> leave_line(SessionLocks& session, Leave why, Moment now, Wakeups& wakeups) {
    simulator::TableCall call{simulator::TableCall::Kind::leave, session, wakeups, {}, why};
    oracle_.begin(call);
    const auto answer = core_.leave_line(session, why, now, wakeups);
    oracle_.end(call, answer);
    if (!answer) simulator::simulation->count(why == Leave::timeout ? "timeout beside grant" : "cancel beside grant");
    return answer;
  }

  void accept_grant(SessionLocks& session) {
    core_.accept_grant(session);
    if (simulator::is_planted("grant_not_accepted")) --session.held;
    oracle_.accepts(session);  // and nobody came in between
  }

  bool end_some(SessionLocks& session, std::size_t budget, Moment now, Wakeups& wakeups) {
    if (simulator::is_planted("end_skips_the_wait") && !session.ended) session.wait.reset();
    const bool is_in_flight = session.waits() && !oracle_.model().wait_of(session.id);
    if (is_in_flight) simulator::simulation->count("end beside grant");
    simulator::TableCall call{simulator::TableCall::Kind::end, session, wakeups};
    oracle_.begin(call);
    const bool is_over = core_.end_some(session, budget, now, wakeups);
    oracle_.end(call);
    if (is_over) {
      ending_.erase(session.id);
    } else {
      ending_.insert(session.id);
    }
    return is_over;
  }

  template <class See>
  void visit_holders(LockKind kind, std::string_view key, See see) {
    std::vector<SessionId> seen;
    core_.visit_holders(kind, key, [&](SessionId holder) {
      seen.push_back(holder);
      see(holder);
    });
    oracle_.saw({kind, Key(key)}, seen);
  }

  /// Each key's holders are compared while its shard is locked.
  template <class See>
  bool visit(LockKind kind, TableCursor& cursor, std::size_t budget, See see) {
    return core_.visit(kind, cursor, budget, [&](std::string_view key, std::uint32_t count, auto for_each_holder) {
      std::vector<SessionId> seen;
      for_each_holder([&](SessionId holder) { seen.push_back(holder); });
      oracle_.saw({kind, Key(key)}, seen);
      see(key, count, for_each_holder);
    });
  }

  template <class See>
  bool visit_claims(TableCursor& cursor, std::size_t budget, See see) {
    return core_.visit_claims(cursor, budget,
                              [&](LockKind kind, std::string_view key, std::uint32_t count, auto for_each_claim) {
                                std::vector<Claim> seen;
                                for_each_claim([&](const Claim& claim) { seen.push_back(claim); });
                                oracle_.saw({kind, Key(key)}, seen);
                                see(kind, key, count, for_each_claim);
                              });
  }

  Totals totals() const { return core_.totals(); }

  simulator::TableOracle& oracle() { return oracle_; }

  /// While no fiber holds a mutex: the table's invariants, and all its claims against the model.
  void check() {
    simulator::TableMutex::peeks = true;
    const auto broken = core_.check_invariants();
    simulator::TableMutex::peeks = false;
    simulator::require(!broken, broken.value_or(""));
    simulator::Claims all;
    for (std::size_t shard = 0; shard < shard_count_; ++shard) all.merge(claims_of(shard));
    oracle_.compare(all);
  }

 private:
  static std::uint64_t bound(std::uint64_t given) {
    return given == std::numeric_limits<std::uint64_t>::max() ? 0 : given;  // as the model says that there is none
  }

  static Config made(const Config& config) {
    simulator::TableMutex::count = 0;
    return config;
  }

  static Verb verb_of(const Get& get) {
    if (get.kind == LockKind::exclusive) return get.waits ? Verb::get_wait : Verb::get;
    if (!get.heeds_line) return Verb::get_shared;
    return get.waits ? Verb::get_limited_wait : Verb::get_limited;
  }

  template <class Act>
  std::optional<Answer> ask(const SessionLocks& session, Verb verb, std::string_view key, std::uint32_t limit,
                            std::uint32_t milliseconds, Wakeups& wakeups, Act act) {
    simulator::TableCall call{
        simulator::TableCall::Kind::ask, session, wakeups, {session.id, verb, Key(key), limit, milliseconds}};
    oracle_.begin(call);
    const auto answer = act();
    oracle_.end(call, answer);
    if (!ending_.empty()) simulator::simulation->count("request between slices of an end");
    return answer;
  }

  /// Without locking: between two steps of the fibers, or under the shard's mutex.
  simulator::Claims claims_of(std::size_t shard) const {
    simulator::TableMutex::peeks = true;
    simulator::Claims claims;
    TableCursor cursor{static_cast<std::uint32_t>(shard), 0};
    core_.visit_claims(cursor, std::numeric_limits<std::size_t>::max(),
                       [&](LockKind kind, std::string_view key, std::uint32_t, auto for_each_claim) {
                         auto& list = claims[{kind, Key(key)}];
                         for_each_claim([&](const Claim& claim) { list.push_back(claim); });
                       });
    simulator::TableMutex::peeks = false;
    return claims;
  }

  std::size_t shard_count_;
  Core core_;
  simulator::TableOracle oracle_;
  Wakeups no_wakeups_;
  std::set<SessionId> ending_;  // that have had a slice, and have not had their last
};

#endif  // LOCKD_SIMULATOR_WATCHED_TABLE_H_
