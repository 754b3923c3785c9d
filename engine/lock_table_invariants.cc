// LockTable::check_invariants(): every record is looked at, and every link followed both ways.
#include <set>
#include <string>

#include "engine/lock_table.h"

namespace lockd::engine {

namespace {

std::string at_record(const char* what, std::uint32_t at) {
  return std::string(what) + " at record " + std::to_string(at);
}

}  // namespace

std::optional<std::string> LockTable::check_invariants() const {
  if (auto broken = check_keys()) return broken;
  if (auto broken = check_sessions()) return broken;
  return check_counts();
}

/// Invariants 1, 2, 3 and the first half of 5.
std::optional<std::string> LockTable::check_keys() const {
  std::size_t holds_seen = 0;
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    if (auto broken = check_key(at)) return broken;
    holds_seen += keys_[at].holder_count;
  }
  if (holds_seen != holds_.size()) return "a hold is in no key's list";
  return std::nullopt;
}

std::optional<std::string> LockTable::check_key(std::uint32_t at) const {
  const KeyRecord& key = keys_[at];
  if (key.holder_count == 0) return at_record("a key without a holder", at);
  if (key.kind == LockKind::exclusive && key.holder_count != 1)
    return at_record("an exclusive key with many holders", at);
  const std::uint32_t found = key_index_.find(key.hash, [&](std::uint32_t other) {
    return keys_[other].kind == key.kind && keys_[other].text.view() == key.text.view();
  });
  if (found != at) return at_record("a key that its index does not find", at);

  std::set<SessionId> holders;
  std::uint32_t previous = no_index;
  for (std::uint32_t hold = key.first_holder; hold != no_index; previous = hold, hold = holds_[hold].key_next) {
    if (!holds_.is_live(hold) || holds_[hold].key != at) return at_record("a foreign hold in the list of the key", at);
    if (holds_[hold].key_previous != previous) return at_record("a broken list of holders of the key", at);
    const SessionId holder = sessions_[holds_[hold].session].id;
    if (!holders.insert(holder).second) return at_record("a session twice in the list of the key", at);
    if (find_hold(at, holder) != hold) return at_record("a hold that is not found by key and session, of the key", at);
  }
  if (key.last_holder != previous) return at_record("a wrong last holder of the key", at);
  if (holders.size() != key.holder_count) return at_record("a wrong count of holders of the key", at);
  return std::nullopt;
}

/// Invariant 4 and the second half of 5.
std::optional<std::string> LockTable::check_sessions() const {
  std::size_t holds_seen = 0;
  for (std::uint32_t at = sessions_.next_live(0); at != no_index; at = sessions_.next_live(at + 1)) {
    if (find_session(sessions_[at].id) != at) return at_record("a session that its index does not find", at);
    if (sessions_[at].first_hold == no_index) return at_record("a session without a hold", at);
    std::uint32_t previous = no_index;
    for (std::uint32_t hold = sessions_[at].first_hold; hold != no_index; hold = holds_[hold].session_next) {
      if (!holds_.is_live(hold) || holds_[hold].session != at)
        return at_record("a foreign hold in the list of the session", at);
      if (holds_[hold].session_previous != previous) return at_record("a broken list of holds of the session", at);
      previous = hold;
      if (++holds_seen > holds_.size()) return at_record("a list without an end, of the session", at);
    }
  }
  if (holds_seen != holds_.size()) return "a hold is in no session's list";
  return std::nullopt;
}

/// Invariant 6, and that the indices hold nothing else.
std::optional<std::string> LockTable::check_counts() const {
  std::array<std::uint64_t, 2> keys{};
  std::uint64_t shared_holds = 0;
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    ++keys[slot(keys_[at].kind)];
    if (keys_[at].kind == LockKind::shared) shared_holds += keys_[at].holder_count;
  }
  if (keys != key_counts_) return "the counts of keys differ from the keys";
  if (key_index_.size() != keys_.size()) return "the index of keys has entries without a key";
  if (session_index_.size() != sessions_.size()) return "the index of sessions has entries without a session";
  if (hold_index_.size() != shared_holds) return "the index of holds has entries without a shared hold";
  return std::nullopt;
}

}  // namespace lockd::engine
