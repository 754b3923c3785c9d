// The table that the server uses: LockTables behind mutexes, so that threads that work on different keys do not meet.
#ifndef LOCKD_ENGINE_SHARDED_TABLE_H_
#define LOCKD_ENGINE_SHARDED_TABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/check.h"
#include "engine/lock_table.h"
#include "engine/requests.h"
#include "engine/session_locks.h"
#include "engine/siphash.h"
#include "engine/token_source.h"
#include "engine/totals.h"
#include "engine/wait_map.h"
#include "model/types.h"

namespace lockd::engine {

/// The mutex of a table that only one thread uses. Nothing to lock, and copyable.
struct NullMutex {
  void lock() {}
  void unlock() {}
};

/// Where a walk over all shards stands (L5). Starts at the beginning.
struct TableCursor {
  std::uint32_t shard = 0;
  std::uint32_t place = 0;
};

/// Up to 64 LockTables, a key's by the high bits of its hash. Mutex is std::mutex, or NullMutex for one thread and for
/// tests, which makes the whole thing copyable.
///
/// Threading: every call may come from any thread, a SessionLocks from one at a time. A call that names a key holds
/// that one shard's mutex while it works, and there it takes effect; calls that name none go from shard to shard, one
/// mutex at a time. A session that ended has no more requests, and one that waits none until it has accepted its grant
/// or left the line: they get no answer and change nothing (S2, W2).
///
/// Wake-ups: whoever frees a lock or leaves a line hands the lock on in the same step (W4, W5), and is told in
/// `Wakeups` to whom. He brings each Wakeup to the thread that is its home, which calls accept_grant() if the session
/// lives.
///
/// Circles (W6). An exclusive lock that a session waits for, and the one who holds it, are an edge from the one to the
/// other; a session has one edge at most, and a wait in a shared line is none. Nobody may begin to wait where that
/// would close a circle. The edges lie in many shards, of which only one is locked at a time, so `wait_mutex_` is taken
/// before them, by exclusive requests that are about to wait, and by others for no longer than it takes to forget a
/// wait:
///
/// 1. Under the key's shard mutex: all that can be decided without waiting.
/// 2. Under wait_mutex_: from the key's holder to the one that he waits for, and on, each looked at under the mutex of
///    the shard where he waits, until it is the session itself (refused) or one who waits for nothing.
/// 3. Still under wait_mutex_, under the key's shard mutex: as in 1 if it can be had by now, or else into the line.
///
/// Why that is right. While 2 and 3 last, nobody else begins to wait for an exclusive lock, as that takes wait_mutex_.
/// So who is seen waiting has waited since before the walk began, and who waits for nothing goes on so. And who waits
/// asks for nothing and releases nothing (W2; an end withdraws the wait first, S2). So who is seen waiting has held
/// what he holds since before the walk began, as has the session itself, which is busy here.
///
/// None is imagined: in a circle that the walk found each is waiting, but for the session itself. So each held his lock
/// and waited for the next one's before the walk began; there the circle existed whole, and there the refusal takes
/// effect. None is missed: had the entry in 3 closed a circle, all in it but the session would be waiting at that
/// moment. Then each had held and waited since before the walk began, and the walk would have followed them to the
/// session. Those to whom locks were handed meanwhile, the key itself included, wait for nothing: no second walk is
/// needed. For the same reasons the walk passes nobody twice: that would be a circle that was there before.
///
/// waiting_ says where each such session waits. Its own thread adds it in 3 and removes it when it learns that the
/// wait is over, so an entry may be stale. What counts is what the shard says under its mutex: the claim is live, the
/// session's, and waiting. A stale entry never names a later wait of the session, as that begins after the removal.
template <class Mutex>
class ShardedTable {
 public:
  using Claim = engine::Claim;
  using Leave = engine::Leave;

  struct Config {
    HashSeed seed;
    std::uint32_t shard_count = 1;                                          // a power of two, 1 to 64
    std::uint64_t locks_max = std::numeric_limits<std::uint64_t>::max();    // S5: for each session
    std::uint64_t waiters_max = std::numeric_limits<std::uint64_t>::max();  // W7: in each line, 1 or more
    std::uint64_t first_token = 1;                                          // T1
    std::uint64_t tokens_end = token_limit;                                 // see TokenSource
    std::uint32_t index_parts = 256;       // of all shards together, a power of two: see PartitionedIndex
    std::uint32_t cached_keys_max = 2048;  // of a shard: see gains_by_prefetch()
  };

  explicit ShardedTable(const Config& config)
      : config_(config),
        shard_shift_(63 - std::countr_zero(config.shard_count)),
        tokens_(config.first_token, config.tokens_end),
        waiting_(config.seed) {
    LOCKD_CHECK(std::has_single_bit(config.shard_count) && config.shard_count <= 64, "1, 2, 4 ... 64 shards");
    for (std::uint32_t i = 0; i < config.shard_count; ++i) shards_.add(config);
  }

  /// What the requests below take: a key whose bytes last until the call. Pure.
  [[gnu::always_inline]] HashedKey hashed(std::string_view key) const { return hash_key(config_.seed, key); }

  /// For a caller that knows several requests before it makes the first: asks for the cache lines that they will read,
  /// so that these come at the same time. prefetch() for all of them, then prefetch_record() for all, then the
  /// requests. Changes nothing, and no answer depends on it. Without effect where threads share the table: what it
  /// looks at is guarded by mutexes. Without gain in a table of few keys.
  void prefetch(LockKind kind, const HashedKey& key) const noexcept {
    if constexpr (is_single_threaded) shards_[shard_of(key)].table.prefetch(kind, key);
  }
  void prefetch_record(LockKind kind, const HashedKey& key) const noexcept {
    if constexpr (is_single_threaded) shards_[shard_of(key)].table.prefetch_record(kind, key);
  }

  /// Whether that saves more than it costs. So few keys as cached_keys_max lie in a cache anyway: 2,048 records of 64
  /// bytes with their index fit the smallest caches of the second level, which have 256 KiB. One shard is about as
  /// large as another, and tells for all.
  bool gains_by_prefetch() const noexcept {
    return is_single_threaded && shards_[0].table.key_count() > config_.cached_keys_max;
  }

  /// X1, H1, C1, C2, W1 in the order of W10, of `key`, whatever get.key is. No answer where the session waits now, or
  /// asks for nothing (see above). A get that may not wait fails as `g` and `sgl` do. std::bad_alloc where memory is
  /// out; nothing has changed then.
  std::optional<Answer> get(SessionLocks& session, const Get& get, const HashedKey& key, Moment now) {
    if (!may_ask(session)) return std::nullopt;
    const std::uint32_t at = shard_of(key);
    session.touch(at);  // before it enters a line, so that its end finds a grant in flight
    const Result result = try_get(shards_[at], session, get, key, Circles::unknown, now);
    const bool is_undecided = !result.is_answered && result.claim == no_index;
    if (is_undecided) return wait_unless_in_circle(session, get, key, now);
    return apply(session, get.kind, at, result);
  }
  std::optional<Answer> get(SessionLocks& session, const Get& get, Moment now) {
    return this->get(session, get, hashed(get.key), now);
  }

  /// X2, H2, W4. std::bad_alloc where memory is out; nothing has changed then.
  std::optional<Answer> release(SessionLocks& session, LockKind kind, const HashedKey& key, Moment now,
                                Wakeups& wakeups) {
    if (!may_ask(session)) return std::nullopt;
    const std::uint32_t at = shard_of(key);
    const std::lock_guard lock(shards_[at].mutex);
    return apply(session, kind, at, shards_[at].table.release(kind, hashed(session), key, now, wakeups));
  }

  std::optional<Answer> release(SessionLocks& session, LockKind kind, std::string_view key, Moment now,
                                Wakeups& wakeups) {
    return release(session, kind, hashed(key), now, wakeups);
  }

  /// X3, H3.
  std::optional<Answer> inspect(const SessionLocks& session, LockKind kind, const HashedKey& key) const {
    return look(session, key, [&](const LockTable& table) { return table.inspect(kind, key); });
  }
  std::optional<Answer> inspect(const SessionLocks& session, LockKind kind, std::string_view key) const {
    return inspect(session, kind, hashed(key));
  }

  /// W8.
  std::optional<Answer> inspect_line(const SessionLocks& session, LockKind kind, const HashedKey& key) const {
    return look(session, key, [&](const LockTable& table) { return table.inspect_line(kind, key); });
  }
  std::optional<Answer> inspect_line(const SessionLocks& session, LockKind kind, std::string_view key) const {
    return inspect_line(session, kind, hashed(key));
  }

  /// T2.
  std::optional<Answer> token(const SessionLocks& session, LockKind kind, const HashedKey& key) const {
    return look(session, key, [&](const LockTable& table) { return table.token(kind, hashed(session), key); });
  }
  std::optional<Answer> token(const SessionLocks& session, LockKind kind, std::string_view key) const {
    return token(session, kind, hashed(key));
  }

  /// E1 in slices: releases up to `budget` of the session's locks, which count as no orphans. Returns how many; fewer
  /// than `budget`: none is left, or it asks for nothing (see above). std::bad_alloc where memory is out, with
  /// session.held saying how many are left.
  std::size_t release_some(SessionLocks& session, std::size_t budget, Moment now, Wakeups& wakeups) {
    return may_ask(session) ? release_slice(session, budget, Release::asked, now, wakeups) : 0;
  }

  /// W5, W9: the session leaves the line, and `why` decides how its get is answered. Nothing where it does not wait, or
  /// got the lock already: then its Wakeup is on the way. std::bad_alloc where memory is out; nothing has changed then.
  std::optional<Answer> leave_line(SessionLocks& session, Leave why, Moment now, Wakeups& wakeups) {
    if (!session.waits() || !withdraw(session, now, wakeups)) return std::nullopt;
    const bool exclusive = session.wait->kind == LockKind::exclusive;
    forget_wait(session);
    switch (why) {
      case Leave::timeout:
        return Answer{exclusive ? Outcome::lock_get_timeout : Outcome::shared_get_timeout};
      case Leave::cancel:
        return Answer{exclusive ? Outcome::lock_get_canceled : Outcome::shared_get_canceled};
    }
    return std::nullopt;
  }

  /// W4: the session's Wakeup has arrived, and its own side learns of the grant. Called once for each, by the session's
  /// thread, unless the session has ended.
  void accept_grant(SessionLocks& session) {
    LOCKD_CHECK(!session.ended && session.waits(), "a grant is accepted by a session that waited");
    forget_wait(session);
    ++session.held;
  }

  /// S2: ends the session, if it has not ended yet: withdraws its wait (where it got the lock already, that is one more
  /// to release), and releases up to `budget` (1 or more) of its locks as orphans. True when none is left; otherwise to
  /// be called again, others' requests coming between. Ending twice changes nothing. std::bad_alloc where memory is
  /// out; to be called again then, too.
  bool end_some(SessionLocks& session, std::size_t budget, Moment now, Wakeups& wakeups) {
    LOCKD_CHECK(budget > 0, "the end of a session makes progress");
    session.ended = true;
    if (session.waits()) {
      if (!withdraw(session, now, wakeups)) ++session.held;
      forget_wait(session);
    }
    release_slice(session, budget, Release::orphaned, now, wakeups);
    if (session.shards_touched != 0) return false;
    LOCKD_CHECK(session.held == 0, "an ended session holds nothing");
    return true;
  }

  /// L1: see(SessionId) for each holder of one key, in the order of taking, at one moment, under the shard's mutex.
  template <class See>
  void visit_holders(LockKind kind, std::string_view key_bytes, See see) const {
    const HashedKey key = hashed(key_bytes);
    const Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    shard.table.visit_holders(kind, key, see);
  }

  /// L5: one slice of a walk over all keys of a kind, as LockTable::visit says, each slice within one shard and under
  /// its mutex. False when the walk is over.
  template <class See>
  bool visit(LockKind kind, TableCursor& cursor, std::size_t budget, See see) const {
    return walk(cursor, [&](const LockTable& table) { return table.visit(kind, cursor.place, budget, see); });
  }

  /// E2: the same over all keys of both kinds with their lines, as LockTable::visit_claims says.
  template <class See>
  bool visit_claims(TableCursor& cursor, std::size_t budget, See see) const {
    return walk(cursor, [&](const LockTable& table) { return table.visit_claims(cursor.place, budget, see); });
  }

  /// L3, E3. Sums over the shards, each at its own moment.
  Totals totals() const {
    Totals sum;
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      const Shard& shard = shards_[i];
      const std::lock_guard lock(shard.mutex);
      for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) sum[kind] += shard.table.totals(kind);
    }
    return sum;
  }

  /// L3 alone.
  std::uint64_t key_count(LockKind kind) const { return totals()[kind].keys; }
  std::uint64_t orphan_count(LockKind kind) const { return totals()[kind].orphans; }

  /// T1. Has its own rules of threading, and needs no mutex of the table.
  TokenSource& token_source() { return tokens_; }

  /// For tests: nothing, or the first broken invariant: of LockTable; or that each key lies in its shard, that each who
  /// waits for an exclusive lock is known to do so where he does, or that none waits for himself.
  std::optional<std::string> check_invariants() const {
    const std::lock_guard lock(wait_mutex_);
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      const std::lock_guard shard_lock(shards_[i].mutex);
      if (auto broken = check_shard(i)) return "shard " + std::to_string(i) + ": " + *broken;
    }
    return check_circles();
  }

 private:
  /// On cache lines of its own, so that a thread at one shard does not slow down its neighbour's.
  struct alignas(64) Shard {
    Shard(const HashSeed& seed, std::uint32_t part_count, std::uint64_t waiters_max)
        : table(seed, part_count, waiters_max) {}

    mutable Mutex mutex;
    LockTable table;  // guarded by mutex
  };

  /// Where they lie they stay. A copy has its own.
  class ShardList {
   public:
    ShardList() = default;
    ShardList(const ShardList& other) {
      for (const auto& shard : other.shards_) shards_.push_back(std::make_unique<Shard>(*shard));
    }
    ShardList& operator=(const ShardList&) = delete;
    ~ShardList() = default;

    void add(const Config& config) {
      const std::uint32_t part_count = config.index_parts / config.shard_count;
      shards_.push_back(std::make_unique<Shard>(config.seed, part_count, config.waiters_max));
    }
    Shard& operator[](std::size_t number) { return *shards_[number]; }
    const Shard& operator[](std::size_t number) const { return *shards_[number]; }
    std::size_t size() const { return shards_.size(); }

   private:
    std::vector<std::unique_ptr<Shard>> shards_;
  };

  static constexpr bool is_single_threaded = std::is_same_v<Mutex, NullMutex>;

  /// Whether it is known of a request that its wait would close no circle (W6).
  enum class Circles : std::uint8_t { unknown, none };

  /// By the highest bits of the hash; LockTable uses its low half.
  std::uint32_t shard_of(const HashedKey& key) const {
    return static_cast<std::uint32_t>(key.hash >> 1 >> shard_shift_);  // 64 at once would be too far
  }

  /// A session's hash is computed when it first asks for a lock.
  HashedSession hashed(SessionLocks& session) const {
    if (session.hash == 0) session.hash = hash_session(config_.seed, session.id);
    return {session.id, session.hash, session.record_hint};
  }
  HashedSession hashed(const SessionLocks& session) const {
    return {session.id, session.hash != 0 ? session.hash : hash_session(config_.seed, session.id), session.record_hint};
  }

  static bool may_ask(const SessionLocks& session) { return !session.ended && !session.waits(); }

  /// shard: the key's.
  Result try_get(Shard& shard, SessionLocks& session, const Get& get, const HashedKey& key, Circles circles,
                 Moment now) {
    const Asker asker{.session = hashed(session),
                      .home = session.home,
                      .may_take = session.held < config_.locks_max,
                      .closes_no_circle = circles == Circles::none};
    const std::lock_guard lock(shard.mutex);
    return shard.table.get(get, key, asker, tokens_, now);
  }

  /// W6: steps 2 and 3. Not inline: those who need not wait would pay for its frame.
  [[gnu::noinline]] std::optional<Answer> wait_unless_in_circle(SessionLocks& session, const Get& get,
                                                                const HashedKey& key, Moment now) {
    const std::lock_guard lock(wait_mutex_);
    waiting_.reserve_one();
    if (closes_circle(session, holder(key))) return Answer{Outcome::lock_get_deadlock};
    const std::uint32_t at = shard_of(key);
    const Result result = try_get(shards_[at], session, get, key, Circles::none, now);
    if (!result.is_answered) waiting_.add(session.id, {at, result.claim});
    return apply(session, get.kind, at, result);
  }

  /// Whether `holder` waits for the session, directly or through others. Under wait_mutex_.
  bool closes_circle(SessionLocks& session, SessionId holder) const {
    std::uint64_t walked = 0;
    SessionId next = holder;
    while (next != SessionId::nobody && next != session.id) {
      LOCKD_CHECK(walked <= waiting_.size(), "nobody waits for himself");
      next = blocker(next);
      ++walked;
    }
    session.edges_walked += walked;
    return next == session.id;
  }

  SessionId holder(const HashedKey& key) const {
    const Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    return shard.table.holder(key);
  }

  /// Who holds what the session waits for, or `nobody`. Under wait_mutex_.
  SessionId blocker(SessionId session) const {
    const auto place = waiting_.find(session);
    if (!place) return SessionId::nobody;
    const Shard& shard = shards_[place->shard];
    const std::lock_guard lock(shard.mutex);
    return shard.table.blocker(session, place->claim);
  }

  /// Takes the session out of its line. False where it was granted the lock already.
  bool withdraw(const SessionLocks& session, Moment now, Wakeups& wakeups) {
    const WaitPlace& place = session.wait->place;
    Shard& shard = shards_[place.shard];
    const std::lock_guard lock(shard.mutex);
    return shard.table.leave_line(hashed(session), place.claim, now, wakeups);
  }

  /// The wait is over, and the session's own thread knows it.
  void forget_wait(SessionLocks& session) {
    if (session.wait->kind == LockKind::exclusive) {
      const std::lock_guard lock(wait_mutex_);
      waiting_.remove(session.id);
    }
    session.wait.reset();
  }

  /// Shards in which nothing is left are not touched any more.
  std::size_t release_slice(SessionLocks& session, std::size_t budget, Release why, Moment now, Wakeups& wakeups) {
    std::size_t left = budget;
    while (session.shards_touched != 0 && left > 0) {
      Shard& shard = shards_[static_cast<std::size_t>(std::countr_zero(session.shards_touched))];
      const std::lock_guard lock(shard.mutex);
      const std::size_t released = shard.table.release_some(hashed(session), left, why, now, session.held, wakeups);
      if (released < left) session.shards_touched &= session.shards_touched - 1;
      left -= released;
    }
    return budget - left;
  }

  static std::optional<Answer> apply(SessionLocks& session, LockKind kind, std::uint32_t shard, const Result& result) {
    LOCKD_CHECK(result.held_change >= 0 || session.held > 0, "a session counts what it holds");
    session.held += static_cast<std::uint64_t>(static_cast<std::int64_t>(result.held_change));
    if (result.record != no_index) session.record_hint = result.record;
    if (!result.is_answered) session.wait = {kind, {shard, result.claim}};
    return result.answer();
  }

  template <class Look>
  std::optional<Answer> look(const SessionLocks& session, const HashedKey& key, Look look_at) const {
    if (!may_ask(session)) return std::nullopt;
    const Shard& shard = shards_[shard_of(key)];
    const std::lock_guard lock(shard.mutex);
    return look_at(shard.table);
  }

  /// slice(table): the place in that table to go on from.
  template <class Slice>
  bool walk(TableCursor& cursor, Slice slice) const {
    if (cursor.shard >= shards_.size()) return false;
    const Shard& shard = shards_[cursor.shard];
    const std::lock_guard lock(shard.mutex);
    cursor.place = slice(shard.table);
    if (cursor.place == no_index) cursor = {cursor.shard + 1, 0};
    return cursor.shard < shards_.size();
  }

  /// Under wait_mutex_ and that of the shard.
  std::optional<std::string> check_shard(std::uint32_t number) const {
    const LockTable& table = shards_[number].table;
    if (auto broken = table.check_invariants()) return broken;
    bool astray = false;
    bool unknown = false;
    const auto see = [&](LockKind kind, std::string_view key, std::uint32_t, auto for_each_claim) {
      astray = astray || shard_of(hashed(key)) != number;
      for_each_claim([&](const Claim& claim) {
        if (kind == LockKind::shared || claim.token != 0) return;
        const auto place = waiting_.find(claim.session);
        const bool known =
            place && place->shard == number && table.blocker(claim.session, place->claim) == table.holder(hashed(key));
        unknown = unknown || !known;
      });
    };
    table.visit_claims(0, std::numeric_limits<std::size_t>::max(), see);
    if (astray) return "a key that belongs elsewhere";
    if (unknown) return "a session that waits and is not known to";
    return std::nullopt;
  }

  /// Under wait_mutex_.
  std::optional<std::string> check_circles() const {
    std::optional<std::string> broken;
    waiting_.visit([&](SessionId session, const WaitPlace&) {
      SessionId next = blocker(session);
      for (std::uint32_t passed = 0; passed < waiting_.size() && next != SessionId::nobody; ++passed)
        next = blocker(next);
      if (next != SessionId::nobody) broken = "a circle of sessions that wait for one another";
    });
    return broken;
  }

  Config config_;
  int shard_shift_;
  TokenSource tokens_;
  ShardList shards_;

  mutable Mutex wait_mutex_;  // taken before any shard's
  WaitMap waiting_;           // guarded by wait_mutex_: who waits for an exclusive lock, and where
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_SHARDED_TABLE_H_
