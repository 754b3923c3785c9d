// The engine and its specification side by side: the same event to both, and every difference is a finding. What to do
// in which order is the business of those who use it, the explorer and the random tests.
#ifndef LOCKD_PROPTESTS_LOCKSTEP_H_
#define LOCKD_PROPTESTS_LOCKSTEP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "model/lock_model.h"
#include "proptests/event.h"

namespace lockd::proptests {

using EngineTable = engine::ShardedTable<engine::NullMutex>;

/// Always the same: what a run found must be found again.
inline constexpr engine::HashSeed lockstep_seed{1, 2};

/// `Table` is EngineTable, or a faulty descendant of it that must be found out. A copy is a fork: it goes on alone.
template <class Table>
class Lockstep {
 public:
  struct Config {
    std::vector<SessionId> sessions;  // they begin at the start
    std::uint32_t shard_count = 1;
    std::uint64_t locks_max = 0;  // S5; 0: no bound
  };

  explicit Lockstep(const Config& config)
      : table_({.seed = lockstep_seed, .shard_count = config.shard_count, .locks_max = bound(config.locks_max)}) {
    model_.max_locks = config.locks_max;
    for (const SessionId id : config.sessions) {
      sessions_.emplace_back(id);
      model_ = model::step(std::move(model_), model::SessionBegins{id}).state;
    }
  }

  /// Does it to both. Nothing, or how the answers differ (X, H, S2, S5). The session is one of those that began.
  std::optional<std::string> act(const Event& event) { return event.verb ? request(event) : end(event); }

  /// Compares all that can be seen without asking for a key: the two listings with the holders in their order (L1), the
  /// counts (L3), what each session holds and whether it is dead (S2); and asks the engine for its broken invariants.
  std::optional<std::string> look() const {
    if (listing() != model_.held) return "the listings differ";
    for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
      if (table_.key_count(kind) != model_.keys_held(kind)) return "the numbers of keys differ";
      if (table_.orphan_count(kind) != model_.orphans.at(kind)) return "the numbers of orphans differ";
    }
    for (const auto& session : sessions_) {
      if (session.held != model_.locks_of(session.id).size()) return "the numbers of a session's locks differ";
      if (session.ended != model_.ended.contains(session.id)) return "one side knows a session's end";
    }
    return table_.check_invariants();
  }

  /// Compares what each of `askers` learns about a key by `i` and `si` (X3, H3), and by `d K` and `sd K` (L1).
  std::optional<std::string> look_at(const Key& key, const std::vector<SessionId>& askers) {
    for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
      std::vector<SessionId> holders;
      table_.visit_holders(kind, key, [&](SessionId holder) { holders.push_back(holder); });
      if (holders != model_.holders({kind, key})) return "the holders of a key differ: " + shown(key);
      const Verb verb = kind == LockKind::exclusive ? Verb::inspect : Verb::inspect_shared;
      for (const SessionId asker : askers) {
        if (const auto difference = request({asker, verb, key})) return difference;
      }
    }
    return std::nullopt;
  }

  const model::LockModel& model() const { return model_; }

 private:
  static std::uint64_t bound(std::uint64_t locks_max) {
    return locks_max == 0 ? std::numeric_limits<std::uint64_t>::max() : locks_max;
  }

  engine::SessionLocks& session(SessionId id) { return *std::ranges::find(sessions_, id, &engine::SessionLocks::id); }

  /// The engine's answer in the model's words: a dead session gets none.
  static std::vector<model::Reply> replies(const Event& event, const std::optional<Answer>& answer) {
    if (!answer) return {};
    return {{event.session, *answer, event.key}};
  }

  std::optional<std::string> request(const Event& event) {
    auto expected = model::step(std::move(model_), model::SessionAsks{event.session, *event.verb, event.key});
    model_ = std::move(expected.state);
    const auto got = replies(event, ask(event));
    if (got == expected.replies) return std::nullopt;
    return "the answers differ: the model's " + shown(expected.replies) + ", the engine's " + shown(got);
  }

  std::optional<Answer> ask(const Event& event) {
    engine::SessionLocks& asking = session(event.session);
    switch (*event.verb) {
      case Verb::get:
        return table_.get(asking, LockKind::exclusive, event.key);
      case Verb::release:
        return table_.release(asking, LockKind::exclusive, event.key);
      case Verb::inspect:
        return table_.inspect(asking, LockKind::exclusive, event.key);
      case Verb::get_shared:
        return table_.get(asking, LockKind::shared, event.key);
      case Verb::release_shared:
        return table_.release(asking, LockKind::shared, event.key);
      case Verb::inspect_shared:
        return table_.inspect(asking, LockKind::shared, event.key);
      default:
        return std::nullopt;  // concerns no lock, and the model does not answer either
    }
  }

  /// The engine frees the locks of a session in an order of its own. So the model is told that they are orphans which
  /// the engine no longer lists; that nobody else's went, and that these were counted, look() sees.
  std::optional<std::string> end(const Event& event) {
    model_ = model::step(std::move(model_), model::SessionEndBegins{event.session}).state;
    const auto locks_before = model_.locks_of(event.session);
    const bool is_over = table_.end_some(session(event.session), event.budget);
    std::size_t freed = 0;
    for (const model::Lock& lock : locks_before) {
      if (holds(event.session, lock)) continue;
      model_ = model::step(std::move(model_), model::LockOrphaned{event.session, lock}).state;
      ++freed;
    }
    if (freed != std::min(event.budget, locks_before.size()))
      return "a slice freed " + std::to_string(freed) + " locks";
    if (is_over && freed != locks_before.size()) return "the end is called over and is not";
    if (!is_over && event.budget > locks_before.size()) return "the end is over and is not called so";
    return std::nullopt;
  }

  bool holds(SessionId id, const model::Lock& lock) const {
    bool found = false;
    table_.visit_holders(lock.kind, lock.key, [&](SessionId holder) { found = found || holder == id; });
    return found;
  }

  std::map<model::Lock, std::vector<SessionId>> listing() const {
    std::map<model::Lock, std::vector<SessionId>> found;
    for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
      const auto see = [&](std::string_view key, std::uint32_t, auto for_each_holder) {
        auto& holders = found[{kind, Key(key)}];  // a key that comes twice has its holders twice
        for_each_holder([&](SessionId holder) { holders.push_back(holder); });
      };
      engine::TableCursor cursor;
      while (table_.visit(kind, cursor, 3, see)) {
      }
    }
    return found;
  }

  Table table_;
  std::vector<engine::SessionLocks> sessions_;
  model::LockModel model_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_LOCKSTEP_H_
