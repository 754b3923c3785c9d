// Who holds which lock and who waits for it: the engine's sequential machine. The model says what must come out, this
// is how it comes out fast.
#ifndef LOCKD_ENGINE_LOCK_TABLE_H_
#define LOCKD_ENGINE_LOCK_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/hashed_key.h"
#include "engine/index_table.h"
#include "engine/line_lengths.h"
#include "engine/records.h"
#include "engine/requests.h"
#include "engine/siphash.h"
#include "engine/slab.h"
#include "engine/token_source.h"
#include "engine/totals.h"
#include "model/types.h"

namespace lockd::engine {

/// A session with the hash of its id under the table's seed, see hash_session(), and a guess.
struct HashedSession {
  SessionId id = SessionId::nobody;
  std::uint32_t hash = 0;
  std::uint32_t record_hint = no_index;  // where its record was when it last took a lock: it may be another's by now
};

inline std::uint32_t hash_session(const HashSeed& seed, SessionId session) {
  return hash_of_numbers<1>(seed, {static_cast<std::uint64_t>(session)});
}

/// Who asks for a lock, and what is known of him outside of the table.
struct Asker {
  HashedSession session;
  std::uint32_t home = 0;         // for the Wakeup, should he wait
  bool may_take = true;           // S5: false where he holds as many locks as he may
  bool closes_no_circle = false;  // W6: he may wait for an exclusive lock
};

/// What a get or a release did, in two registers.
struct Result {
  bool is_answered = false;  // otherwise he has to wait
  Outcome outcome = Outcome::lock_get_failure;
  std::int8_t held_change = 0;      // of the number of locks that the session holds: -1, 0 or 1
  std::uint32_t number = 0;         // of the answer
  std::uint32_t claim = no_index;   // without an answer: his place in the line, or no_index if he is not in it (W6)
  std::uint32_t record = no_index;  // of a session that took a lock: the next HashedSession::record_hint

  std::optional<Answer> answer() const { return is_answered ? std::optional(Answer{outcome, number}) : std::nullopt; }
};

/// Why locks are released several at a time: only those of an ended session count as orphans (S2, E1).
enum class Release : std::uint8_t { asked, orphaned };

/// The locks of some keys, of both kinds, and the lines for them. An exclusive lock is a lock with at most one holder,
/// who therefore needs no list; all else is the same for both.
///
/// A value machine: no thread, clock, socket or global. Every call is O(1), to which comes one step for each waiter
/// that it lets through, but for release_some(), visit() and visit_claims(), which work within a budget, and
/// check_invariants(), which looks at everything. A copy is an independent table in the same state.
///
/// Invariants, checked by check_invariants():
///  1. A key record exists exactly as long as somebody holds that key in that kind; it can be found by its hash.
///  2. An exclusive key has one holder, whom its record names.
///  3. A shared key's holders form one list, in the order in which they took it, no session twice. Their tokens grow.
///  4. A session has a record from its first lock or wait here until release_some() finds nothing left of it, so that
///     one who takes and releases in turn does not make it each time (some 32 bytes for one who does not). Its
///     exclusive keys form one list, its shared holds another, and it waits for one key at most, which it does not
///     hold.
///  5. Each claim either holds a shared key, has a token and is in exactly one key's list of holders and one session's
///     list; or it waits, has none, and is in exactly one line and named by its session. A shared claim can be found by
///     key and session.
///  6. A line record exists exactly as long as somebody waits for its key; its list is in the order of coming; as many
///     hold the key as the first in it wants there to be fewer than (W4), and no line is longer than the bound (W7).
///  7. All who wait for keys of one kind form one list, in the order of coming, with a wait record each.
///  8. There are as many tokens left as there are waiters, larger than all given out.
///  9. The totals and the lengths of lines agree with the records.
///
/// Sessions are only numbers here, live ones that ask for nothing while they wait: that no others ask is the caller's
/// duty (ShardedTable). Out of memory: a call that can throw std::bad_alloc has changed nothing then, but for one that
/// works within a budget, which has done some steps wholly; nothing else allocates. A hand-over needs no memory but for
/// the Wakeups. Not thread-safe: ShardedTable has a mutex around each.
class LockTable {
 public:
  /// seed: for the hashes within; part_count: see PartitionedIndex; waiters_max: W7, 1 or more.
  LockTable(const HashSeed& seed, std::uint32_t part_count,
            std::uint64_t waiters_max = std::numeric_limits<std::uint64_t>::max());
  LockTable(const LockTable& other);
  LockTable& operator=(const LockTable&) = delete;
  ~LockTable();

  /// X1, H1, C1, C2, W1, S5, W7, T1 in the order of W10, where W6 is the caller's: an exclusive get that has to wait,
  /// by one of whom it is not known that he closes no circle, changes nothing. Draws tokens from `source` where its own
  /// do not suffice; out_of_tokens where that has none. May throw std::bad_alloc.
  Result get(const Get& get, const HashedKey& key, const Asker& asker, TokenSource& source, Moment now);

  /// X2, H2, W4. May throw std::bad_alloc where somebody is let through.
  Result release(LockKind kind, const HashedSession& session, const HashedKey& key, Moment now, Wakeups& wakeups);

  /// S2, E1: releases up to `budget` locks of a session, in no stated order, `held` counting down with each. Returns
  /// how many; fewer than `budget` means that none is left, and that the session is forgotten. Whoever has asked for a
  /// lock is to be forgotten in the end. May throw std::bad_alloc where somebody is let through.
  std::size_t release_some(const HashedSession& session, std::size_t budget, Release why, Moment now,
                           std::uint64_t& held, Wakeups& wakeups);

  /// W5, W9: the session leaves the line that it entered as `claim`. False, and nothing changes, where it got the lock
  /// already. May throw std::bad_alloc where somebody is let through.
  bool leave_line(const HashedSession& session, std::uint32_t claim, Moment now, Wakeups& wakeups);

  /// X3, H3.
  Answer inspect(LockKind kind, const HashedKey& key) const noexcept;

  /// W8.
  Answer inspect_line(LockKind kind, const HashedKey& key) const noexcept;

  /// T2.
  Answer token(LockKind kind, const HashedSession& session, const HashedKey& key) const noexcept;

  /// W6: who holds a key exclusively, or `nobody`.
  SessionId holder(const HashedKey& key) const noexcept;

  /// W6: who holds the exclusive lock for which the session waits as `claim`; `nobody` where it does not, be it that
  /// the claim is no more, is another's, or holds.
  SessionId blocker(SessionId session, std::uint32_t claim) const noexcept;

  /// Asks for the cache lines that a request about the key will read: first that of its place in the index; when that
  /// has come, that of its record. What the table holds, and answers, is the same without.
  void prefetch(LockKind kind, const HashedKey& key) const noexcept;
  void prefetch_record(LockKind kind, const HashedKey& key) const noexcept;

  /// L1: calls see(SessionId) for each holder of the key, in the order of taking.
  template <class See>
  void visit_holders(LockKind kind, const HashedKey& key, See see) const {
    const std::uint32_t found = find_key(kind, key);
    if (found != no_index) visit_holders_of(keys_[found], see);
  }

  /// L1, L2, L5: walks the keys of one kind from the place `from` on (0 is the start), looking at about `budget`
  /// records: a key of the kind counts as many as it has holders, and is never cut. Calls see(key_bytes, holder_count,
  /// for_each_holder) for each, where for_each_holder(f) calls f(SessionId) in the order of taking. Returns the place
  /// to go on from, or no_index at the end. A key that lasts from the walk's start to its end is seen exactly once,
  /// whatever changes between the calls.
  template <class See>
  std::uint32_t visit(LockKind kind, std::uint32_t from, std::size_t budget, See see) const {
    return walk(from, budget, [&](const KeyRecord& key) -> std::size_t {
      if (key.kind != kind) return 1;
      see(key.text.view(), std::uint32_t{key.holder_count}, [&](auto f) { visit_holders_of(key, f); });
      return key.holder_count;
    });
  }

  /// E2: the same for both kinds and with the lines: calls see(kind, key_bytes, claim_count, for_each_claim), where
  /// for_each_claim(f) calls f(const Claim&), first for the holders in the order of taking, then for the line. A key
  /// counts as many as it has claims.
  template <class See>
  std::uint32_t visit_claims(std::uint32_t from, std::size_t budget, See see) const {
    return walk(from, budget, [&](const KeyRecord& key) -> std::size_t {
      const std::uint32_t claim_count = key.holder_count + line_length(key);
      see(LockKind{key.kind}, key.text.view(), claim_count, [&](auto f) {
        visit_holds(key, f);
        if (key.line != no_index) visit_list(lines_[key.line].claims, f);
      });
      return claim_count;
    });
  }

  /// L3, E3.
  KindTotals totals(LockKind kind) const;

  /// L3 alone: keys held in this kind now; locks released by the ends of their sessions since the start.
  std::uint64_t key_count(LockKind kind) const { return totals_[kind].keys; }
  std::uint64_t orphan_count(LockKind kind) const { return totals_[kind].orphans; }

  /// Keys held now in either kind.
  std::uint32_t key_count() const { return keys_.size(); }

  /// Nothing, or which invariant is broken and where. For tests: it looks at every record.
  std::optional<std::string> check_invariants() const;

 private:
  /// More than are needed are drawn, so that shards rarely meet at the source: an eighth of what was given out so far,
  /// up to this. Tokens then run ahead of the grants by little, as T1 asks where they start from the clock.
  static constexpr std::uint64_t tokens_spare_max = 4096;

  using KeyRef = Slab<KeyRecord>::Ref;
  using SessionRef = Slab<SessionRecord>::Ref;

  static std::size_t slot(LockKind kind) { return static_cast<std::size_t>(kind); }

  // Finding. The hash of a claim is made of what is known before there is a record: room can be reserved first.
  static std::uint32_t hash_of_claim(std::uint32_t key_hash, std::uint32_t session_hash);
  std::uint32_t hash_of_claim(std::uint32_t claim) const;
  std::uint32_t find_key(LockKind kind, const HashedKey& key) const;
  KeyRef find_key_ref(LockKind kind, const HashedKey& key) const;
  SessionRef find_session(const HashedSession& session) const;
  std::uint32_t find_claim(std::uint32_t key, const HashedSession& session) const;
  std::uint32_t find_shared_hold(std::uint32_t key, const HashedSession& session) const;
  bool holds(const HashedSession& session, const KeyRef& key) const;
  SessionId sole_holder(const KeyRecord& key) const { return sessions_[key.hold.session].id; }
  std::uint32_t line_length(const KeyRecord& key) const { return key.line == no_index ? 0 : lines_[key.line].count; }
  WaitRecord& wait_of(std::uint32_t claim) { return waits_[claims_[claim].session_next]; }
  const WaitRecord& wait_of(std::uint32_t claim) const { return waits_[claims_[claim].session_next]; }

  /// X1; H1, C1: with the number of holders.
  static Result got(const KeyRecord& key);

  // The two ways of a get that is not refused. Each reserves all that it needs before it changes anything.
  Result take(const KeyRef& found, const Get& get, const HashedKey& key, const Asker& asker, TokenSource& source,
              Moment now);
  Result enter_line(const KeyRef& key, const Get& get, const Asker& asker, TokenSource& source, Moment now);
  bool has_token_to_spare(TokenSource& source);
  bool draw_tokens(TokenSource& source, std::uint64_t needed);
  void reserve_key(std::uint32_t key_hash);
  void reserve_claim(LockKind kind, std::uint32_t key_hash, const HashedSession& session);
  void reserve_session();
  void reserve_wait(const KeyRecord& key);

  // Letting waiters through.
  void reserve_wakeups(std::uint32_t holder_count, std::uint32_t first, Wakeups& wakeups) const;
  void free_exclusive(const KeyRef& key, SessionRecord& session, Moment now, Wakeups& wakeups);
  void free_shared(std::uint32_t hold, Moment now, Wakeups& wakeups);
  void let_through(const KeyRecord& key, Moment now, Wakeups& wakeups) noexcept;
  void hand_over(std::uint32_t claim, Moment now, Wakeups& wakeups) noexcept;
  void released_one(LockKind kind, Release why, std::uint64_t& held) noexcept;

  // An exclusive key is held by what its record says. Other claims have a record: it is added, then holds, or waits and
  // perhaps holds later; then it is removed. Keys and sessions come before their first hold or claim; keys go with
  // their last, sessions some time after.
  KeyRef add_key(LockKind kind, std::uint32_t hash, const HashedKey& key);
  SessionRef add_session(const HashedSession& session) noexcept;
  std::uint32_t add_claim(std::uint32_t key, std::uint32_t session) noexcept;
  void start_holding_alone(const KeyRef& key, const SessionRef& session, Moment now) noexcept;
  void stop_holding_alone(KeyRecord& key, SessionRecord& session, Moment now) noexcept;
  void start_sharing(std::uint32_t claim, Moment now) noexcept;
  void stop_sharing(std::uint32_t claim, Moment now) noexcept;
  static void count_start(KeyRecord& key, KindTotals& totals) noexcept;
  static void count_stop(KeyRecord& key, Moment since, Moment now, KindTotals& totals) noexcept;
  void start_waiting(std::uint32_t claim, std::uint32_t limit, std::uint32_t home, Moment now) noexcept;
  void stop_waiting(std::uint32_t claim, Moment now) noexcept;
  void remove_claim(std::uint32_t claim) noexcept;
  void remove_key(const KeyRef& key) noexcept;
  void remove_session(const SessionRef& session) noexcept;

  // The lists, each linked in both directions.
  void append(ClaimList& list, std::uint32_t claim) noexcept;
  void unlink(ClaimList& list, std::uint32_t claim) noexcept;
  void append_newest(AgeList& list, std::uint32_t claim) noexcept;
  void unlink_by_age(AgeList& list, std::uint32_t claim) noexcept;

  std::optional<std::string> check_keys() const;
  std::optional<std::string> check_key(std::uint32_t at) const;
  std::optional<std::string> check_list(std::uint32_t key, const ClaimList& list, std::uint32_t count,
                                        std::set<SessionId>& seen) const;
  std::optional<std::string> check_sole_holder(std::uint32_t at) const;
  std::optional<std::string> check_holders(std::uint32_t at) const;
  std::optional<std::string> check_line(std::uint32_t at) const;
  std::optional<std::string> check_sessions() const;
  std::optional<std::string> check_keys_of(std::uint32_t session, std::size_t& unseen) const;
  std::optional<std::string> check_claims_of(std::uint32_t session, std::size_t& seen) const;
  std::optional<std::string> check_wait(std::uint32_t session) const;
  std::optional<std::string> check_ages(LockKind kind) const;
  std::optional<std::string> check_totals(LockKind kind) const;
  std::optional<std::string> check_indices() const;

  template <class SeeKey>  // std::size_t see_key(const KeyRecord&): how much of the budget it took
  std::uint32_t walk(std::uint32_t from, std::size_t budget, SeeKey see_key) const {
    std::uint32_t at = keys_.next_live(from);
    while (at != no_index && budget > 0) {
      budget -= std::min(budget, see_key(keys_[at]));
      at = keys_.next_live(at + 1);
    }
    return at;
  }

  template <class See>
  void visit_list(const ClaimList& list, See see) const {
    for (std::uint32_t at = list.first; at != no_index; at = claims_[at].key_next) {
      const ClaimRecord& claim = claims_[at];
      see(Claim{sessions_[claim.session].id, claim.stamp.token(), claim.stamp.moment()});
    }
  }

  template <class See>
  void visit_holds(const KeyRecord& key, See see) const {
    if (key.kind == LockKind::shared) return visit_list(key.holders, see);
    see(Claim{sole_holder(key), key.hold.stamp.token(), key.hold.stamp.moment()});
  }

  template <class See>
  void visit_holders_of(const KeyRecord& key, See see) const {
    visit_holds(key, [&](const Claim& claim) { see(claim.session); });
  }

  HashSeed seed_;
  std::uint64_t waiters_max_;

  Slab<KeyRecord> keys_;
  Slab<ClaimRecord> claims_;
  Slab<SessionRecord> sessions_;
  Slab<LineRecord> lines_;
  Slab<WaitRecord> waits_;

  PartitionedIndex key_index_;    // keys_ by kind and bytes
  PartitionedIndex claim_index_;  // the shared ones of claims_, by key and session
  IndexTable session_index_;      // sessions_ by id

  TokenRange tokens_;                        // of these, one is set aside for each waiter
  Totals totals_;                            // without longest_line and oldest_wait, which the next two know
  std::array<LineLengths, 2> line_lengths_;  // by kind
  std::array<AgeList, 2> ages_;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_LOCK_TABLE_H_
