// LockTable's records: how claims begin, end and are handed over. Nothing here fails, but for the room for wake-ups and
// for a key's bytes, each of which is the first thing that is done.
#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "engine/lock_table.h"
#include "engine/lock_table_inline.h"

namespace lockd::engine {

/// W4, C2: room for the wake-ups of those in line, from `first` on, who will be let through where so many hold the key.
void LockTable::reserve_wakeups(std::uint32_t holder_count, std::uint32_t first, Wakeups& wakeups) const {
  std::size_t count = wakeups.size();
  for (std::uint32_t claim = first; claim != no_index && holder_count < wait_of(claim).limit; ++holder_count) {
    claim = claims_[claim].key_next;
    ++count;
  }
  if (count > wakeups.capacity()) wakeups.reserve(std::max(count, 2 * wakeups.capacity()));
}

/// H2: a holder leaves, the others stay, and who is let through is. May throw std::bad_alloc, nothing being changed.
void LockTable::free_shared(std::uint32_t hold, Moment now, Wakeups& wakeups) {
  const std::uint32_t freed = claims_[hold].key;
  KeyRecord& key = keys_[freed];
  if (key.line != no_index) reserve_wakeups(key.holder_count - 1, lines_[key.line].claims.first, wakeups);
  stop_sharing(hold, now);
  remove_claim(hold);
  let_through(key, now, wakeups);
  if (key.holder_count == 0) remove_key({freed, &key});
}

void LockTable::hand_over(std::uint32_t claim, Moment now, Wakeups& wakeups) noexcept {
  LOCKD_CHECK(wakeups.size() < wakeups.capacity(), "reserve_wakeups() comes before a hand-over");
  const ClaimRecord granted = claims_[claim];
  const std::uint32_t home = wait_of(claim).home;
  stop_waiting(claim, now);
  KeyRecord& key = keys_[granted.key];
  if (key.kind == LockKind::exclusive) {
    start_holding_alone({granted.key, &key}, sessions_.at(granted.session), now);
    claims_.release(claim);
  } else {
    start_sharing(claim, now);
  }
  wakeups.push_back({sessions_[granted.session].id, home, *got(key).answer()});
}

/// A claim in no list yet, which has to start holding or waiting at once.
std::uint32_t LockTable::add_claim(std::uint32_t key, std::uint32_t session) noexcept {
  const std::uint32_t added = claims_.allocate();
  ClaimRecord& claim = claims_[added];
  claim.key = key;
  claim.session = session;
  if (keys_[key].kind == LockKind::shared) claim_index_.insert(hash_of_claim(added), added);
  return added;
}

/// Last in the key's list, which is in the order of taking; first in the session's, which is in none.
void LockTable::start_sharing(std::uint32_t claim, Moment now) noexcept {
  ClaimRecord& record = claims_[claim];
  KeyRecord& key = keys_[record.key];
  SessionRecord& session = sessions_[record.session];
  LOCKD_CHECK(key.kind == LockKind::shared, "an exclusive key has one holder");

  append(key.holders, claim);
  record.session_next = session.first_claim;
  if (record.session_next != no_index) claims_[record.session_next].session_previous = claim;
  session.first_claim = claim;
  record.stamp = Stamp(tokens_.take(), now);
  count_start(key, totals_[LockKind::shared]);
}

void LockTable::stop_sharing(std::uint32_t claim, Moment now) noexcept {
  const ClaimRecord& record = claims_[claim];
  KeyRecord& key = keys_[record.key];
  LOCKD_CHECK(!record.waits() && key.holder_count > 0, "only a holder stops holding");

  unlink(key.holders, claim);
  (record.session_previous == no_index ? sessions_[record.session].first_claim
                                       : claims_[record.session_previous].session_next) = record.session_next;
  if (record.session_next != no_index) claims_[record.session_next].session_previous = record.session_previous;
  count_stop(key, record.stamp.moment(), now, totals_[LockKind::shared]);
}

/// Last in line; the line is made if there is none. Needs reserve_wait().
void LockTable::start_waiting(std::uint32_t claim, std::uint32_t limit, std::uint32_t home, Moment now) noexcept {
  ClaimRecord& record = claims_[claim];
  KeyRecord& key = keys_[record.key];
  SessionRecord& session = sessions_[record.session];
  LOCKD_CHECK(session.wait == no_index, "a session waits for one lock at most");
  LOCKD_CHECK(key.holder_count > 0, "who waits, waits for a holder");

  if (key.line == no_index) key.line = lines_.allocate();
  LineRecord& line = lines_[key.line];
  append(line.claims, claim);
  line_lengths_[slot(key.kind)].grew_to(++line.count);
  session.wait = claim;
  record.stamp = Stamp(0, now);
  record.session_next = waits_.allocate();
  waits_[record.session_next].limit = limit;
  waits_[record.session_next].home = home;
  append_newest(ages_[slot(key.kind)], claim);
  ++totals_[key.kind].waiters;
  ++totals_[key.kind].waits;
}

/// Out of the line; the line is forgotten with its last.
void LockTable::stop_waiting(std::uint32_t claim, Moment now) noexcept {
  ClaimRecord& record = claims_[claim];
  KeyRecord& key = keys_[record.key];
  LineRecord& line = lines_[key.line];
  LOCKD_CHECK(record.waits() && sessions_[record.session].wait == claim, "only a waiter stops waiting");

  unlink(line.claims, claim);
  line_lengths_[slot(key.kind)].shrank_to(--line.count);
  if (line.count == 0) {
    lines_.release(key.line);
    key.line = no_index;
  }
  unlink_by_age(ages_[slot(key.kind)], claim);
  waits_.release(record.session_next);
  record.session_next = no_index;
  sessions_[record.session].wait = no_index;
  --totals_[key.kind].waiters;
  totals_[key.kind].wait_ms.count(elapsed_ms(record.stamp.moment(), now));
}

/// A claim that is in no list any more goes.
void LockTable::remove_claim(std::uint32_t claim) noexcept {
  const ClaimRecord& record = claims_[claim];
  if (keys_[record.key].kind == LockKind::shared) {
    claim_index_.erase(hash_of_claim(claim), claim, [this](std::uint32_t at) { return hash_of_claim(at); });
  }
  claims_.release(claim);
}

void LockTable::append(ClaimList& list, std::uint32_t claim) noexcept {
  claims_[claim].key_previous = list.last;
  claims_[claim].key_next = no_index;
  (list.last == no_index ? list.first : claims_[list.last].key_next) = claim;
  list.last = claim;
}

void LockTable::unlink(ClaimList& list, std::uint32_t claim) noexcept {
  const auto [previous, next] = std::pair(claims_[claim].key_previous, claims_[claim].key_next);
  (previous == no_index ? list.first : claims_[previous].key_next) = next;
  (next == no_index ? list.last : claims_[next].key_previous) = previous;
}

void LockTable::append_newest(AgeList& list, std::uint32_t claim) noexcept {
  wait_of(claim).older = list.newest;
  (list.newest == no_index ? list.oldest : wait_of(list.newest).newer) = claim;
  list.newest = claim;
}

void LockTable::unlink_by_age(AgeList& list, std::uint32_t claim) noexcept {
  const auto [older, newer] = std::pair(wait_of(claim).older, wait_of(claim).newer);
  (older == no_index ? list.oldest : wait_of(older).newer) = newer;
  (newer == no_index ? list.newest : wait_of(newer).older) = older;
}

}  // namespace lockd::engine
