#include "engine/lock_table.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "engine/lock_table_inline.h"

namespace lockd::engine {

namespace {

Outcome by_kind(LockKind kind, Outcome exclusive, Outcome shared) {
  return kind == LockKind::exclusive ? exclusive : shared;
}

}  // namespace

LockTable::LockTable(const HashSeed& seed, std::uint32_t part_count, std::uint64_t waiters_max)
    : seed_(seed), waiters_max_(waiters_max), key_index_(part_count), claim_index_(part_count) {
  LOCKD_CHECK(waiters_max > 0, "a line has room for one");
}

LockTable::LockTable(const LockTable& other)
    : seed_(other.seed_),
      waiters_max_(other.waiters_max_),
      keys_(other.keys_),
      claims_(other.claims_),
      sessions_(other.sessions_),
      lines_(other.lines_),
      waits_(other.waits_),
      key_index_(other.key_index_),
      claim_index_(other.claim_index_),
      session_index_(other.session_index_),
      tokens_(other.tokens_),
      totals_(other.totals_),
      line_lengths_(other.line_lengths_),
      ages_(other.ages_) {
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    keys_[at].text.assign(other.keys_[at].text);
  }
}

LockTable::~LockTable() {
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) keys_[at].text.free();
}

Result LockTable::get(const Get& get, const HashedKey& key, const Asker& asker, TokenSource& source, Moment now) {
  LOCKD_CHECK(asker.session.id != SessionId::nobody, "a lock is taken by a session");
  LOCKD_CHECK(get.limit >= 1, "somebody may hold the lock");
  const KeyRef found = find_key_ref(get.kind, key);
  if (found && holds(asker.session, found)) return got(*found);
  if (!asker.may_take) return answered(Outcome::too_many_locks);
  const bool can_be_had = !found || (found->holder_count < get.limit && (!get.heeds_line || found->line == no_index));
  if (can_be_had) return take(found, get, key, asker, source, now);
  if (!get.waits) return answered(by_kind(get.kind, Outcome::lock_get_failure, Outcome::shared_get_failure));
  if (get.kind == LockKind::exclusive && !asker.closes_no_circle) return {};
  return enter_line(found, get, asker, source, now);
}

Result LockTable::release(LockKind kind, const HashedSession& session, const HashedKey& key, Moment now,
                          Wakeups& wakeups) {
  const KeyRef found = find_key_ref(kind, key);
  if (kind == LockKind::exclusive) {
    if (!found) return answered(Outcome::lock_release_failure);
    SessionRecord& holder = sessions_[found->hold.session];
    if (holder.id != session.id) return answered(Outcome::lock_release_failure);
    free_exclusive(found, holder, now, wakeups);
    return answered(Outcome::lock_release_success, -1);
  }
  const std::uint32_t hold = found ? find_shared_hold(found.index, session) : no_index;
  if (hold == no_index) return answered(Outcome::shared_release_failure);
  free_shared(hold, now, wakeups);
  return answered(Outcome::shared_release_success, -1);
}

std::size_t LockTable::release_some(const HashedSession& session, std::size_t budget, Release why, Moment now,
                                    std::uint64_t& held, Wakeups& wakeups) {
  const SessionRef releasing = find_session(session);
  if (!releasing) return 0;
  LOCKD_CHECK(releasing->wait == no_index, "who waits releases nothing");
  std::size_t released = 0;
  std::uint32_t hold = releasing->first_claim;
  for (std::uint32_t key = releasing->first_key; key != no_index && released < budget; ++released) {
    KeyRecord& record = keys_[key];
    const std::uint32_t next = record.hold.session_next;
    free_exclusive({key, &record}, *releasing, now, wakeups);
    released_one(LockKind::exclusive, why, held);
    key = next;
  }
  for (; hold != no_index && released < budget; ++released) {
    const std::uint32_t next = claims_[hold].session_next;
    free_shared(hold, now, wakeups);
    released_one(LockKind::shared, why, held);
    hold = next;
  }
  if (released < budget) remove_session(releasing);
  return released;
}

void LockTable::released_one(LockKind kind, Release why, std::uint64_t& held) noexcept {
  LOCKD_CHECK(held > 0, "a session counts what it holds");
  --held;
  if (why == Release::orphaned) ++totals_[kind].orphans;
}

bool LockTable::leave_line(const HashedSession& session, std::uint32_t claim, Moment now, Wakeups& wakeups) {
  const SessionRef leaving = find_session(session);
  LOCKD_CHECK(leaving, "a session leaves its own place");
  if (leaving->wait == no_index) return false;
  LOCKD_CHECK(leaving->wait == claim, "a session leaves its own place");
  const ClaimRecord left = claims_[claim];
  const KeyRecord& key = keys_[left.key];
  const bool was_first = lines_[key.line].claims.first == claim;
  if (was_first) reserve_wakeups(key.holder_count, left.key_next, wakeups);  // behind another it lets nobody through
  stop_waiting(claim, now);
  remove_claim(claim);
  let_through(key, now, wakeups);
  return true;
}

Answer LockTable::inspect(LockKind kind, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  if (found == no_index) return {by_kind(kind, Outcome::lock_not_locked, Outcome::shared_not_locked)};
  if (kind == LockKind::exclusive) return {Outcome::lock_is_locked};
  return {Outcome::shared_is_locked, keys_[found].holder_count};
}

Answer LockTable::inspect_line(LockKind kind, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  Answer answer{by_kind(kind, Outcome::lock_waiters, Outcome::shared_waiters)};
  if (found != no_index) answer.number = line_length(keys_[found]);
  return answer;
}

Answer LockTable::token(LockKind kind, const HashedSession& session, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  if (kind == LockKind::exclusive) {
    if (found == no_index || sole_holder(keys_[found]) != session.id) return {Outcome::lock_not_held};
    return {Outcome::lock_token, keys_[found].hold.stamp.token()};
  }
  const std::uint32_t hold = found == no_index ? no_index : find_shared_hold(found, session);
  if (hold == no_index) return {Outcome::shared_not_held};
  return {Outcome::shared_token, claims_[hold].stamp.token()};
}

SessionId LockTable::holder(const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(LockKind::exclusive, key);
  return found == no_index ? SessionId::nobody : sole_holder(keys_[found]);
}

SessionId LockTable::blocker(SessionId session, std::uint32_t claim) const noexcept {
  if (!claims_.is_live(claim)) return SessionId::nobody;
  const ClaimRecord& record = claims_[claim];
  if (!record.waits() || sessions_[record.session].id != session) return SessionId::nobody;
  const KeyRecord& key = keys_[record.key];
  return key.kind == LockKind::exclusive ? sole_holder(key) : SessionId::nobody;
}

void LockTable::prefetch(LockKind kind, const HashedKey& key) const noexcept {
  key_index_.prefetch(table_hash(kind, key));
}

void LockTable::prefetch_record(LockKind kind, const HashedKey& key) const noexcept {
  const std::uint32_t likely = key_index_.first_of_run(table_hash(kind, key));
  if (likely != no_index) keys_.prefetch(likely);
}

KindTotals LockTable::totals(LockKind kind) const {
  KindTotals totals = totals_[kind];
  totals.longest_line = line_lengths_[slot(kind)].longest();
  const std::uint32_t oldest = ages_[slot(kind)].oldest;
  if (oldest != no_index) totals.oldest_wait = claims_[oldest].stamp.moment();
  return totals;
}

std::uint32_t LockTable::find_key(LockKind kind, const HashedKey& key) const { return find_key_ref(kind, key).index; }

/// Both are hashes under the seed already.
std::uint32_t LockTable::hash_of_claim(std::uint32_t key_hash, std::uint32_t session_hash) {
  return key_hash ^ session_hash;
}

std::uint32_t LockTable::hash_of_claim(std::uint32_t claim) const {
  return hash_of_claim(keys_[claims_[claim].key].hash, sessions_[claims_[claim].session].hash);
}

/// The claim of this shared key by this session, whether it holds or waits, or no_index.
std::uint32_t LockTable::find_claim(std::uint32_t key, const HashedSession& session) const {
  return claim_index_.find(hash_of_claim(keys_[key].hash, session.hash), [&](std::uint32_t at) {
    return claims_[at].key == key && sessions_[claims_[at].session].id == session.id;
  });
}

/// The hold of this shared key by this session, or no_index.
std::uint32_t LockTable::find_shared_hold(std::uint32_t key, const HashedSession& session) const {
  const std::uint32_t claim = find_claim(key, session);
  return claim == no_index || claims_[claim].waits() ? no_index : claim;
}

/// found: the key's record, or none where nobody holds it yet.
Result LockTable::take(const KeyRef& found, const Get& get, const HashedKey& key, const Asker& asker,
                       TokenSource& source, Moment now) {
  const std::uint32_t hash = table_hash(get.kind, key);
  SessionRef session = find_session(asker.session);
  if (!found) reserve_key(hash);
  if (!session) reserve_session();
  if (get.kind == LockKind::shared) reserve_claim(get.kind, hash, asker.session);
  if (!has_token_to_spare(source)) return answered(Outcome::out_of_tokens);
  const KeyRef taken = found ? found : add_key(get.kind, hash, key);
  if (!session) session = add_session(asker.session);
  if (get.kind == LockKind::exclusive) {
    start_holding_alone(taken, session, now);
  } else {
    start_sharing(add_claim(taken.index, session.index), now);
  }
  Result result = got(*taken);
  result.held_change = 1;
  result.record = session.index;
  return result;
}

Result LockTable::enter_line(const KeyRef& key, const Get& get, const Asker& asker, TokenSource& source, Moment now) {
  if (line_length(*key) >= waiters_max_) return answered(Outcome::too_many_waiters);
  SessionRef session = find_session(asker.session);
  if (!session) reserve_session();
  reserve_claim(get.kind, key->hash, asker.session);
  reserve_wait(*key);
  if (!has_token_to_spare(source)) return answered(Outcome::out_of_tokens);
  if (!session) session = add_session(asker.session);
  const std::uint32_t claim = add_claim(key.index, session.index);
  start_waiting(claim, get.limit, asker.home, now);
  return {.claim = claim};
}

/// T1. A range that does not suffice is made longer, or, where another shard has drawn since, given up: the next one is
/// larger throughout, so the tokens of each key go on growing.
bool LockTable::draw_tokens(TokenSource& source, std::uint64_t needed) {
  const std::uint64_t given = totals_[LockKind::exclusive].grants + totals_[LockKind::shared].grants;
  const std::uint64_t wanted = std::max(2 * needed, std::min(given / 8, tokens_spare_max));
  const auto drawn = source.extend(tokens_, wanted, needed);
  if (!drawn) return false;
  LOCKD_CHECK(drawn->next >= tokens_.next && drawn->left() >= needed, "a later range is larger, and suffices");
  tokens_ = *drawn;
  return true;
}

/// The memory for one more claim, be it that it holds at once or later.
void LockTable::reserve_claim(LockKind kind, std::uint32_t key_hash, const HashedSession& session) {
  claims_.reserve_one();
  if (kind == LockKind::exclusive) return;
  claim_index_.reserve_one(hash_of_claim(key_hash, session.hash),
                           [this](std::uint32_t at) { return hash_of_claim(at); });
}

/// The memory that a claim on this key needs besides if it waits.
void LockTable::reserve_wait(const KeyRecord& key) {
  waits_.reserve_one();
  if (key.line == no_index) lines_.reserve_one();
  line_lengths_[slot(key.kind)].reserve(line_length(key) + 1);
}

}  // namespace lockd::engine
