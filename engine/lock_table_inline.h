// The steps that a request takes for a key that nobody else wants, which is what nearly all are: for the sources of
// LockTable alone, inline in each of them.
#ifndef LOCKD_ENGINE_LOCK_TABLE_INLINE_H_
#define LOCKD_ENGINE_LOCK_TABLE_INLINE_H_

#include "engine/check.h"
#include "engine/lock_table.h"

namespace lockd::engine {

/// The low half of the hash is for a table's own use, the high half for choosing the table. A kind shifts it, so that
/// the two locks of one key do not share a run.
inline std::uint32_t table_hash(LockKind kind, const HashedKey& key) {
  const auto low = static_cast<std::uint32_t>(key.hash);
  return kind == LockKind::exclusive ? low : low ^ 0x9e3779b9;
}

/// How long something has lasted that began `since`.
inline std::uint64_t elapsed_ms(Moment since, Moment now) { return now > since ? now - since : 0; }

[[gnu::always_inline]] inline LockTable::KeyRef LockTable::find_key_ref(LockKind kind, const HashedKey& key) const {
  KeyRef found;
  found.index = key_index_.find(table_hash(kind, key), [&](std::uint32_t at) __attribute__((always_inline)) {
    KeyRecord& record = *keys_.at(at);
    const bool is_it = record.kind == kind && record.text.equals(key);
    if (is_it) found.record = &record;
    return is_it;
  });
  return found;
}

[[gnu::always_inline]] inline bool LockTable::holds(const HashedSession& session, const KeyRef& key) const {
  if (key->kind == LockKind::exclusive) return sole_holder(*key) == session.id;
  return find_shared_hold(key.index, session) != no_index;
}

[[gnu::always_inline]] inline LockTable::SessionRef LockTable::find_session(const HashedSession& session) const {
  const SessionRef hinted = sessions_.find(session.record_hint);
  if (hinted && hinted->id == session.id) return hinted;
  const auto is_it = [&](std::uint32_t at) { return sessions_[at].id == session.id; };
  return sessions_.find(session_index_.find(session.hash, is_it));
}

inline Result answered(Outcome outcome, std::int8_t held_change = 0, std::uint32_t number = 0) {
  return {.is_answered = true, .outcome = outcome, .held_change = held_change, .number = number};
}

inline Result LockTable::got(const KeyRecord& key) {
  if (key.kind == LockKind::exclusive) return answered(Outcome::lock_get_success);
  return answered(Outcome::shared_get_success, 0, key.holder_count);
}

/// The memory for one more key, but its own bytes.
[[gnu::always_inline]] inline void LockTable::reserve_key(std::uint32_t key_hash) {
  keys_.reserve_one();
  key_index_.reserve_one(key_hash, [this](std::uint32_t at) { return keys_[at].hash; });
}

[[gnu::always_inline]] inline void LockTable::reserve_session() {
  sessions_.reserve_one();
  session_index_.reserve_one([this](std::uint32_t at) { return sessions_[at].hash; });
}

/// Throws std::bad_alloc where the key's bytes find no room; nothing has changed then.
[[gnu::always_inline]] inline LockTable::KeyRef LockTable::add_key(LockKind kind, std::uint32_t hash,
                                                                   const HashedKey& key) {
  StoredKey text;
  text.assign(key);
  const KeyRef added = keys_.allocate_ref();
  added->hash = hash;
  added->text = text;
  added->kind = kind;
  if (kind == LockKind::shared) added->holders = ClaimList{};
  key_index_.insert(hash, added.index);
  ++totals_[kind].keys;
  return added;
}

inline LockTable::SessionRef LockTable::add_session(const HashedSession& session) noexcept {
  const SessionRef added = sessions_.allocate_ref();
  added->id = session.id;
  added->hash = session.hash;
  session_index_.insert(session.hash, added.index);
  return added;
}

/// First in the session's list, which is in no order.
[[gnu::always_inline]] inline void LockTable::start_holding_alone(const KeyRef& key, const SessionRef& session,
                                                                  Moment now) noexcept {
  LOCKD_CHECK(key->holder_count == 0, "an exclusive key has one holder");

  key->hold.session = session.index;
  key->hold.session_previous = no_index;
  key->hold.session_next = session->first_key;
  key->hold.stamp = Stamp(tokens_.take(), now);
  if (session->first_key != no_index) keys_[session->first_key].hold.session_previous = key.index;
  session->first_key = key.index;
  count_start(*key, totals_[LockKind::exclusive]);
}

/// session: the holder.
[[gnu::always_inline]] inline void LockTable::stop_holding_alone(KeyRecord& key, SessionRecord& session,
                                                                 Moment now) noexcept {
  LOCKD_CHECK(key.kind == LockKind::exclusive && key.holder_count == 1, "only a holder stops holding");

  const SoleHold& hold = key.hold;
  (hold.session_previous == no_index ? session.first_key : keys_[hold.session_previous].hold.session_next) =
      hold.session_next;
  if (hold.session_next != no_index) keys_[hold.session_next].hold.session_previous = hold.session_previous;
  count_stop(key, hold.stamp.moment(), now, totals_[LockKind::exclusive]);
}

[[gnu::always_inline]] inline void LockTable::count_start(KeyRecord& key, KindTotals& totals) noexcept {
  ++key.holder_count;
  ++totals.holders;
  ++totals.grants;
}

[[gnu::always_inline]] inline void LockTable::count_stop(KeyRecord& key, Moment since, Moment now,
                                                         KindTotals& totals) noexcept {
  --key.holder_count;
  --totals.holders;
  totals.hold_ms.count(elapsed_ms(since, now));
}

/// X2: the holder, `session`, leaves, and who is let through is. May throw std::bad_alloc, nothing being changed.
[[gnu::always_inline]] inline void LockTable::free_exclusive(const KeyRef& key, SessionRecord& session, Moment now,
                                                             Wakeups& wakeups) {
  if (key->line != no_index) reserve_wakeups(0, lines_[key->line].claims.first, wakeups);
  stop_holding_alone(*key, session, now);
  let_through(*key, now, wakeups);
  if (key->holder_count == 0) remove_key(key);
}

[[gnu::always_inline]] inline void LockTable::remove_key(const KeyRef& key) noexcept {
  LOCKD_CHECK(key->holder_count == 0 && key->line == no_index, "only a free key is forgotten");
  key_index_.erase(key->hash, key.index, [this](std::uint32_t other) { return keys_[other].hash; });
  --totals_[key->kind].keys;
  key->text.free();
  keys_.release(key.index);
}

inline void LockTable::remove_session(const SessionRef& session) noexcept {
  LOCKD_CHECK(session->first_key == no_index && session->first_claim == no_index && session->wait == no_index,
              "only who holds nothing and waits for nothing is forgotten");
  session_index_.erase(session->hash, session.index, [this](std::uint32_t other) { return sessions_[other].hash; });
  sessions_.release(session.index);
}

/// W4, C2: the first in line gets the lock as long as fewer than its own limit hold it. Needs reserve_wakeups().
[[gnu::always_inline]] inline void LockTable::let_through(const KeyRecord& key, Moment now, Wakeups& wakeups) noexcept {
  while (key.line != no_index) {
    const std::uint32_t first = lines_[key.line].claims.first;
    if (key.holder_count >= wait_of(first).limit) return;
    hand_over(first, now, wakeups);
  }
}

/// T1: whether there is one more than the waiters will need, so that a hand-over can't fail.
inline bool LockTable::has_token_to_spare(TokenSource& source) {
  const std::uint64_t needed = std::uint64_t{waits_.size()} + 1;
  return tokens_.left() >= needed || draw_tokens(source, needed);
}

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_LOCK_TABLE_INLINE_H_
