#include "engine/lock_table.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"

namespace lockd::engine {

namespace {

/// The low half of the hash is for a table's own use, the high half for choosing the table. A kind shifts it, so that
/// the two locks of one key do not share a run.
std::uint32_t table_hash(LockKind kind, const HashedKey& key) {
  const auto low = static_cast<std::uint32_t>(key.hash);
  return kind == LockKind::exclusive ? low : low ^ 0x9e3779b9;
}

Answer by_kind(LockKind kind, Outcome exclusive, Outcome shared) {
  return {kind == LockKind::exclusive ? exclusive : shared};
}

Result answered(Answer answer, int held_change = 0) { return {answer, held_change, no_index}; }

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
    keys_[at].text.assign(other.keys_[at].text.view());
  }
}

LockTable::~LockTable() {
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) keys_[at].text.free();
}

Result LockTable::get(const Get& get, std::uint64_t key_hash, const Asker& asker, TokenSource& source, Moment now) {
  LOCKD_CHECK(asker.session != SessionId::nobody, "a lock is taken by a session");
  LOCKD_CHECK(get.limit >= 1, "somebody may hold the lock");
  const HashedKey key{get.key, key_hash};
  const std::uint32_t found = find_key(get.kind, key);
  if (found != no_index && find_hold(found, asker.session) != no_index) return answered(got(keys_[found]));
  if (!asker.may_take) return answered({Outcome::too_many_locks});
  if (found == no_index) return take(found, get, key, asker, source, now);

  const KeyRecord& held = keys_[found];
  const bool can_be_had = held.holder_count < get.limit && (!get.heeds_line || held.line == no_index);
  if (can_be_had) return take(found, get, key, asker, source, now);
  if (!get.waits) return answered(by_kind(get.kind, Outcome::lock_get_failure, Outcome::shared_get_failure));
  if (get.kind == LockKind::exclusive && !asker.closes_no_circle) return {};
  return enter_line(found, get, asker, source, now);
}

Result LockTable::release(LockKind kind, SessionId session, const HashedKey& key, Moment now, Wakeups& wakeups) {
  const std::uint32_t found = find_key(kind, key);
  const std::uint32_t hold = found == no_index ? no_index : find_hold(found, session);
  if (hold == no_index) {
    return answered(by_kind(kind, Outcome::lock_release_failure, Outcome::shared_release_failure));
  }
  free(hold, now, wakeups);
  return answered(by_kind(kind, Outcome::lock_release_success, Outcome::shared_release_success), -1);
}

std::size_t LockTable::release_some(SessionId session, std::size_t budget, Release why, Moment now, std::uint64_t& held,
                                    Wakeups& wakeups) {
  const std::uint32_t releasing = find_session(session);
  if (releasing == no_index) return 0;
  LOCKD_CHECK(sessions_[releasing].wait == no_index, "who waits releases nothing");
  std::size_t released = 0;
  std::uint32_t next = no_index;
  for (std::uint32_t hold = sessions_[releasing].first_hold; hold != no_index && released < budget; hold = next) {
    next = claims_[hold].session_next;
    const LockKind kind = keys_[claims_[hold].key].kind;
    free(hold, now, wakeups);
    LOCKD_CHECK(held > 0, "a session counts what it holds");
    --held;
    ++released;
    if (why == Release::orphaned) ++totals_[kind].orphans;
  }
  return released;
}

bool LockTable::leave_line(SessionId session, std::uint32_t claim, Moment now, Wakeups& wakeups) {
  const ClaimRecord left = claims_[claim];
  LOCKD_CHECK(sessions_[left.session].id == session, "a session leaves its own place");
  if (!left.waits()) return false;
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
  if (found == no_index) return by_kind(kind, Outcome::lock_not_locked, Outcome::shared_not_locked);
  if (kind == LockKind::exclusive) return {Outcome::lock_is_locked};
  return {Outcome::shared_is_locked, keys_[found].holder_count};
}

Answer LockTable::inspect_line(LockKind kind, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  Answer answer = by_kind(kind, Outcome::lock_waiters, Outcome::shared_waiters);
  if (found != no_index) answer.number = line_length(keys_[found]);
  return answer;
}

Answer LockTable::token(LockKind kind, SessionId session, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  const std::uint32_t hold = found == no_index ? no_index : find_hold(found, session);
  if (hold == no_index) return by_kind(kind, Outcome::lock_not_held, Outcome::shared_not_held);
  Answer answer = by_kind(kind, Outcome::lock_token, Outcome::shared_token);
  answer.number = claims_[hold].stamp.token();
  return answer;
}

SessionId LockTable::holder(const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(LockKind::exclusive, key);
  return found == no_index ? SessionId::nobody : holder_of(keys_[found]);
}

SessionId LockTable::blocker(SessionId session, std::uint32_t claim) const noexcept {
  if (!claims_.is_live(claim)) return SessionId::nobody;
  const ClaimRecord& record = claims_[claim];
  if (!record.waits() || sessions_[record.session].id != session) return SessionId::nobody;
  const KeyRecord& key = keys_[record.key];
  return key.kind == LockKind::exclusive ? holder_of(key) : SessionId::nobody;
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

std::uint32_t LockTable::hash_of_session(SessionId session) const {
  return hash_of_numbers<1>(seed_, {static_cast<std::uint64_t>(session)});
}

std::uint32_t LockTable::hash_of_claim(std::uint32_t key_hash, SessionId session) const {
  return hash_of_numbers<2>(seed_, {static_cast<std::uint64_t>(session), key_hash});
}

std::uint32_t LockTable::hash_of_claim(std::uint32_t claim) const {
  return hash_of_claim(keys_[claims_[claim].key].hash, sessions_[claims_[claim].session].id);
}

std::uint32_t LockTable::find_key(LockKind kind, const HashedKey& key) const {
  const std::uint32_t hash = table_hash(kind, key);
  return key_index_.find(hash, [&](std::uint32_t at) {
    const KeyRecord& record = keys_[at];
    return record.hash == hash && record.kind == kind && record.text.view() == key.bytes;
  });
}

std::uint32_t LockTable::find_session(SessionId session, std::uint32_t hash) const {
  return session_index_.find(hash, [&](std::uint32_t at) { return sessions_[at].id == session; });
}

/// The claim of this shared key by this session, whether it holds or waits, or no_index.
std::uint32_t LockTable::find_claim(std::uint32_t key, SessionId session) const {
  const std::uint32_t claimant = find_session(session);
  if (claimant == no_index) return no_index;
  return claim_index_.find(hash_of_claim(keys_[key].hash, session),
                           [&](std::uint32_t at) { return claims_[at].key == key && claims_[at].session == claimant; });
}

/// The hold of this key by this session, or no_index. An exclusive key's only holder is looked at directly.
std::uint32_t LockTable::find_hold(std::uint32_t key, SessionId session) const {
  const KeyRecord& record = keys_[key];
  if (record.kind == LockKind::exclusive) return holder_of(record) == session ? record.holders.first : no_index;
  const std::uint32_t claim = find_claim(key, session);
  return claim == no_index || claims_[claim].waits() ? no_index : claim;
}

Answer LockTable::got(const KeyRecord& key) {
  if (key.kind == LockKind::exclusive) return {Outcome::lock_get_success};
  return {Outcome::shared_get_success, key.holder_count};
}

/// found: the key's record, or no_index where nobody holds it yet.
Result LockTable::take(std::uint32_t found, const Get& get, const HashedKey& key, const Asker& asker,
                       TokenSource& source, Moment now) {
  const std::uint32_t hash = table_hash(get.kind, key);
  if (found == no_index) reserve_key(hash);
  reserve_claim(get.kind, hash, asker.session);
  if (!has_token_to_spare(source)) return answered({Outcome::out_of_tokens});
  const std::uint32_t taken = found != no_index ? found : add_key(get.kind, hash, key.bytes);
  start_holding(add_claim(taken, asker.session), now);
  return answered(got(keys_[taken]), 1);
}

Result LockTable::enter_line(std::uint32_t key, const Get& get, const Asker& asker, TokenSource& source, Moment now) {
  const KeyRecord& record = keys_[key];
  if (line_length(record) >= waiters_max_) return answered({Outcome::too_many_waiters});
  reserve_claim(get.kind, record.hash, asker.session);
  reserve_wait(record);
  if (!has_token_to_spare(source)) return answered({Outcome::out_of_tokens});
  const std::uint32_t claim = add_claim(key, asker.session);
  start_waiting(claim, get.limit, asker.home, now);
  return {std::nullopt, 0, claim};
}

/// T1: whether there is one more than the waiters will need, so that a hand-over can't fail. A range that does not
/// suffice is made longer, or, where another shard has drawn since, given up: the next one is larger throughout, so the
/// tokens of each key go on growing.
bool LockTable::has_token_to_spare(TokenSource& source) {
  const std::uint64_t needed = std::uint64_t{waits_.size()} + 1;
  if (tokens_.left() >= needed) return true;
  const std::uint64_t given = totals_[LockKind::exclusive].grants + totals_[LockKind::shared].grants;
  const std::uint64_t wanted = std::max(2 * needed, std::min(given / 8, tokens_spare_max));
  const auto drawn = source.draw(wanted, needed - tokens_.left());
  if (!drawn) return false;
  LOCKD_CHECK(drawn->next >= tokens_.end, "tokens of a later range are larger");
  tokens_ = {drawn->next == tokens_.end ? tokens_.next : drawn->next, drawn->end};
  return tokens_.left() >= needed;
}

/// The memory for one more key, but its own bytes.
void LockTable::reserve_key(std::uint32_t key_hash) {
  keys_.reserve_one();
  key_index_.reserve_one(key_hash, [this](std::uint32_t at) { return keys_[at].hash; });
}

/// The memory for one more claim, be it that it holds at once or later.
void LockTable::reserve_claim(LockKind kind, std::uint32_t key_hash, SessionId session) {
  claims_.reserve_one();
  sessions_.reserve_one();
  session_index_.reserve_one([this](std::uint32_t at) { return hash_of_session(sessions_[at].id); });
  if (kind == LockKind::exclusive) return;
  claim_index_.reserve_one(hash_of_claim(key_hash, session), [this](std::uint32_t at) { return hash_of_claim(at); });
}

/// The memory that a claim on this key needs besides if it waits.
void LockTable::reserve_wait(const KeyRecord& key) {
  waits_.reserve_one();
  if (key.line == no_index) lines_.reserve_one();
  line_lengths_[slot(key.kind)].reserve(line_length(key) + 1);
}

}  // namespace lockd::engine
