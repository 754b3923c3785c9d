#include "engine/lock_table.h"

#include <algorithm>
#include <cstring>
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

std::uint64_t hash_of_words(const HashSeed& seed, const std::array<std::uint64_t, 2>& words) {
  return SipHash13::hash(seed, {reinterpret_cast<const char*>(words.data()), sizeof words});
}

Answer got(LockKind kind, std::uint64_t holder_count) {
  if (kind == LockKind::exclusive) return {Outcome::lock_get_success};
  return {Outcome::shared_get_success, holder_count};
}

}  // namespace

void StoredKey::assign(std::string_view bytes) {
  LOCKD_CHECK(bytes.size() <= UINT32_MAX, "a key fits the line that brought it");
  char* target = bytes_.data();
  if (bytes.size() > inline_bytes_max) {
    target = new char[bytes.size()];
    std::memcpy(bytes_.data(), &target, sizeof target);
  }
  byte_count_ = static_cast<std::uint32_t>(bytes.size());
  std::ranges::copy(bytes, target);
}

void StoredKey::free() noexcept {
  if (!is_inline()) delete[] heap();
  byte_count_ = 0;
}

std::string_view StoredKey::view() const { return {is_inline() ? bytes_.data() : heap(), byte_count_}; }

char* StoredKey::heap() const {
  char* address = nullptr;
  std::memcpy(&address, bytes_.data(), sizeof address);
  return address;
}

LockTable::LockTable(const HashSeed& seed, std::uint32_t part_count)
    : seed_(seed), key_index_(part_count), hold_index_(part_count) {}

LockTable::LockTable(const LockTable& other)
    : seed_(other.seed_),
      keys_(other.keys_),
      holds_(other.holds_),
      sessions_(other.sessions_),
      key_index_(other.key_index_),
      hold_index_(other.hold_index_),
      session_index_(other.session_index_),
      key_counts_(other.key_counts_),
      orphan_counts_(other.orphan_counts_) {
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    keys_[at].text.assign(other.keys_[at].text.view());
  }
}

LockTable::~LockTable() {
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) keys_[at].text.free();
}

Result LockTable::get(LockKind kind, SessionId session, const HashedKey& key, bool may_take) {
  LOCKD_CHECK(session != SessionId::nobody, "a lock is taken by a session");
  const std::uint32_t found = find_key(kind, key);
  if (found != no_index && find_hold(found, session) != no_index) return {got(kind, keys_[found].holder_count)};
  if (!may_take) return {{Outcome::too_many_locks}};
  if (found != no_index && kind == LockKind::exclusive) return {{Outcome::lock_get_failure}};

  reserve_for_get(session, table_hash(kind, key));
  const std::uint32_t taken = found != no_index ? found : add_key(kind, key);
  add_hold(taken, find_or_add_session(session));
  return {got(kind, keys_[taken].holder_count), 1};
}

Result LockTable::release(LockKind kind, SessionId session, const HashedKey& key) noexcept {
  const bool exclusive = kind == LockKind::exclusive;
  const std::uint32_t found = find_key(kind, key);
  const std::uint32_t hold = found == no_index ? no_index : find_hold(found, session);
  if (hold == no_index) return {{exclusive ? Outcome::lock_release_failure : Outcome::shared_release_failure}};
  remove_hold(hold);
  return {{exclusive ? Outcome::lock_release_success : Outcome::shared_release_success}, -1};
}

Answer LockTable::inspect(LockKind kind, const HashedKey& key) const noexcept {
  const std::uint32_t found = find_key(kind, key);
  if (kind == LockKind::exclusive) return {found == no_index ? Outcome::lock_not_locked : Outcome::lock_is_locked};
  if (found == no_index) return {Outcome::shared_not_locked};
  return {Outcome::shared_is_locked, keys_[found].holder_count};
}

std::size_t LockTable::end_some(SessionId session, std::size_t budget) noexcept {
  const std::uint32_t ended = find_session(session);
  if (ended == no_index) return 0;
  std::size_t released = 0;
  while (released < budget) {
    const std::uint32_t hold = sessions_[ended].first_hold;
    ++orphan_counts_[slot(keys_[holds_[hold].key].kind)];
    ++released;
    const bool last = holds_[hold].session_next == no_index;
    remove_hold(hold);
    if (last) break;
  }
  return released;
}

std::uint32_t LockTable::hash_of_session(SessionId session) const {
  return static_cast<std::uint32_t>(hash_of_words(seed_, {static_cast<std::uint64_t>(session), 0}));
}

/// By the key's hash and the session's id, which are known before there is a record: room can be reserved first.
std::uint32_t LockTable::hash_of_hold(std::uint32_t key_hash, SessionId session) const {
  return static_cast<std::uint32_t>(hash_of_words(seed_, {static_cast<std::uint64_t>(session), key_hash}));
}

std::uint32_t LockTable::hash_of_hold(std::uint32_t hold) const {
  return hash_of_hold(keys_[holds_[hold].key].hash, sessions_[holds_[hold].session].id);
}

std::uint32_t LockTable::find_key(LockKind kind, const HashedKey& key) const {
  const std::uint32_t hash = table_hash(kind, key);
  return key_index_.find(hash, [&](std::uint32_t at) {
    const KeyRecord& record = keys_[at];
    return record.hash == hash && record.kind == kind && record.text.view() == key.bytes;
  });
}

std::uint32_t LockTable::find_session(SessionId session) const {
  return session_index_.find(hash_of_session(session), [&](std::uint32_t at) { return sessions_[at].id == session; });
}

/// The hold of this key by this session, or no_index. An exclusive key's only holder is looked at directly.
std::uint32_t LockTable::find_hold(std::uint32_t key, SessionId session) const {
  const KeyRecord& record = keys_[key];
  if (record.kind == LockKind::exclusive) {
    return sessions_[holds_[record.first_holder].session].id == session ? record.first_holder : no_index;
  }
  const std::uint32_t holder = find_session(session);
  if (holder == no_index) return no_index;
  return hold_index_.find(hash_of_hold(record.hash, session),
                          [&](std::uint32_t at) { return holds_[at].key == key && holds_[at].session == holder; });
}

/// All the memory that taking one more lock can need, but the key's own bytes, before anything changes.
void LockTable::reserve_for_get(SessionId session, std::uint32_t key_hash) {
  keys_.reserve_one();
  holds_.reserve_one();
  sessions_.reserve_one();
  key_index_.reserve_one(key_hash, [this](std::uint32_t at) { return keys_[at].hash; });
  session_index_.reserve_one([this](std::uint32_t at) { return hash_of_session(sessions_[at].id); });
  hold_index_.reserve_one(hash_of_hold(key_hash, session), [this](std::uint32_t at) { return hash_of_hold(at); });
}

/// Throws std::bad_alloc where the key's bytes find no room; nothing has changed then.
std::uint32_t LockTable::add_key(LockKind kind, const HashedKey& key) {
  StoredKey text;
  text.assign(key.bytes);
  const std::uint32_t added = keys_.allocate();
  KeyRecord& record = keys_[added];
  record.hash = table_hash(kind, key);
  record.text = text;
  record.kind = kind;
  key_index_.insert(record.hash, added);
  ++key_counts_[slot(kind)];
  return added;
}

std::uint32_t LockTable::find_or_add_session(SessionId session) noexcept {
  const std::uint32_t found = find_session(session);
  if (found != no_index) return found;
  const std::uint32_t added = sessions_.allocate();
  sessions_[added].id = session;
  session_index_.insert(hash_of_session(session), added);
  return added;
}

/// Last in the key's list, which is in the order of taking; first in the session's, which is in none.
void LockTable::add_hold(std::uint32_t key, std::uint32_t session) noexcept {
  KeyRecord& key_record = keys_[key];
  SessionRecord& session_record = sessions_[session];
  LOCKD_CHECK(key_record.kind == LockKind::shared || key_record.holder_count == 0, "an exclusive key has one holder");

  const std::uint32_t added = holds_.allocate();
  HoldRecord& hold = holds_[added];
  hold.key = key;
  hold.session = session;

  hold.key_previous = key_record.last_holder;
  (hold.key_previous == no_index ? key_record.first_holder : holds_[hold.key_previous].key_next) = added;
  key_record.last_holder = added;
  ++key_record.holder_count;

  hold.session_next = session_record.first_hold;
  if (hold.session_next != no_index) holds_[hold.session_next].session_previous = added;
  session_record.first_hold = added;

  if (key_record.kind == LockKind::shared) hold_index_.insert(hash_of_hold(added), added);
}

/// Takes the hold out of both lists, and the key and the session with it if this was their last.
void LockTable::remove_hold(std::uint32_t hold) noexcept {
  const HoldRecord removed = holds_[hold];
  KeyRecord& key = keys_[removed.key];
  SessionRecord& session = sessions_[removed.session];
  LOCKD_CHECK(key.holder_count > 0, "a key with a hold has a holder");

  if (key.kind == LockKind::shared) {
    hold_index_.erase(hash_of_hold(hold), hold, [this](std::uint32_t at) { return hash_of_hold(at); });
  }
  (removed.key_previous == no_index ? key.first_holder : holds_[removed.key_previous].key_next) = removed.key_next;
  (removed.key_next == no_index ? key.last_holder : holds_[removed.key_next].key_previous) = removed.key_previous;
  --key.holder_count;

  (removed.session_previous == no_index ? session.first_hold : holds_[removed.session_previous].session_next) =
      removed.session_next;
  if (removed.session_next != no_index) holds_[removed.session_next].session_previous = removed.session_previous;

  holds_.release(hold);
  if (key.holder_count == 0) remove_key(removed.key);
  if (session.first_hold == no_index) remove_session(removed.session);
}

void LockTable::remove_key(std::uint32_t key) noexcept {
  KeyRecord& record = keys_[key];
  LOCKD_CHECK(record.first_holder == no_index && record.last_holder == no_index, "only a free key is forgotten");
  key_index_.erase(record.hash, key, [this](std::uint32_t at) { return keys_[at].hash; });
  --key_counts_[slot(record.kind)];
  record.text.free();
  keys_.release(key);
}

void LockTable::remove_session(std::uint32_t session) noexcept {
  const auto hash_of = [this](std::uint32_t at) { return hash_of_session(sessions_[at].id); };
  session_index_.erase(hash_of(session), session, hash_of);
  sessions_.release(session);
}

}  // namespace lockd::engine
