// LockTable::check_invariants(): every record is looked at, and every link followed both ways.
#include <map>
#include <set>
#include <string>

#include "engine/lock_table.h"
#include "engine/lock_table_inline.h"

namespace lockd::engine {

namespace {

std::string at_record(const char* what, std::uint32_t at) {
  return std::string(what) + " at record " + std::to_string(at);
}

}  // namespace

std::optional<std::string> LockTable::check_invariants() const {
  if (auto broken = check_keys()) return broken;
  if (auto broken = check_sessions()) return broken;
  for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
    if (auto broken = check_ages(kind)) return broken;
    if (auto broken = check_totals(kind)) return broken;
  }
  return check_indices();
}

/// Invariants 1, 2, 3, 6 and the first half of 5.
std::optional<std::string> LockTable::check_keys() const {
  std::size_t claims_seen = 0;
  std::size_t lines_seen = 0;
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    if (auto broken = check_key(at)) return broken;
    claims_seen += line_length(keys_[at]);
    if (keys_[at].kind == LockKind::shared) claims_seen += keys_[at].holder_count;
    lines_seen += keys_[at].line != no_index ? 1 : 0;
  }
  if (claims_seen != claims_.size()) return "a claim is in no key's list";
  if (lines_seen != lines_.size()) return "a line is no key's";
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

  std::set<SessionId> seen;
  if (key.kind == LockKind::exclusive) {
    if (auto broken = check_sole_holder(at)) return broken;
    seen.insert(sole_holder(key));
  } else {
    if (auto broken = check_list(at, key.holders, key.holder_count, seen)) return broken;
    if (auto broken = check_holders(at)) return broken;
  }
  if (key.line == no_index) return std::nullopt;
  if (!lines_.is_live(key.line)) return at_record("a line that is no more, of the key", at);
  if (auto broken = check_list(at, lines_[key.line].claims, lines_[key.line].count, seen)) return broken;
  return check_line(at);
}

/// The holders of a key, or its line: sound links, as many as there are said to be, and no session among those `seen`.
std::optional<std::string> LockTable::check_list(std::uint32_t key, const ClaimList& list, std::uint32_t count,
                                                 std::set<SessionId>& seen) const {
  const std::size_t seen_before = seen.size();
  std::uint32_t previous = no_index;
  for (std::uint32_t claim = list.first; claim != no_index; previous = claim, claim = claims_[claim].key_next) {
    if (!claims_.is_live(claim) || claims_[claim].key != key)
      return at_record("a foreign claim in a list of the key", key);
    if (claims_[claim].key_previous != previous) return at_record("a broken list of the key", key);
    const SessionRecord& session = sessions_[claims_[claim].session];
    if (!seen.insert(session.id).second) return at_record("a session twice in the lists of the key", key);
    if (keys_[key].kind == LockKind::shared && find_claim(key, {session.id, session.hash}) != claim)
      return at_record("a claim that is not found by key and session, of the key", key);
  }
  if (list.last != previous) return at_record("a wrong last in a list of the key", key);
  if (seen.size() - seen_before != count) return at_record("a wrong count of a list of the key", key);
  return std::nullopt;
}

/// The token of an exclusive key's holder, and that it is a session.
std::optional<std::string> LockTable::check_sole_holder(std::uint32_t at) const {
  const SoleHold& hold = keys_[at].hold;
  if (!sessions_.is_live(hold.session)) return at_record("a holder that is no session, of the key", at);
  if (hold.stamp.token() == 0) return at_record("a holder without a token, of the key", at);
  if (hold.stamp.token() >= tokens_.next) return at_record("a token that was not given yet, of the key", at);
  return std::nullopt;
}

/// The tokens of a shared key's holders, their list being sound.
std::optional<std::string> LockTable::check_holders(std::uint32_t at) const {
  std::uint64_t last_token = 0;
  for (std::uint32_t hold = keys_[at].holders.first; hold != no_index; hold = claims_[hold].key_next) {
    const std::uint64_t token = claims_[hold].stamp.token();
    if (claims_[hold].waits()) return at_record("a holder without a token, of the key", at);
    if (token <= last_token) return at_record("a token no larger than the one before, of the key", at);
    if (token >= tokens_.next) return at_record("a token that was not given yet, of the key", at);
    last_token = token;
  }
  return std::nullopt;
}

/// Who waits for a key, their list being sound.
std::optional<std::string> LockTable::check_line(std::uint32_t at) const {
  const LineRecord& line = lines_[keys_[at].line];
  if (line.count == 0) return at_record("an empty line, of the key", at);
  if (line.count > waiters_max_) return at_record("a line longer than the bound, of the key", at);
  for (std::uint32_t claim = line.claims.first; claim != no_index; claim = claims_[claim].key_next) {
    if (!claims_[claim].waits()) return at_record("a waiter with a token, of the key", at);
    if (sessions_[claims_[claim].session].wait != claim)
      return at_record("a waiter that its session does not know, of the key", at);
    if (!waits_.is_live(claims_[claim].session_next)) return at_record("a waiter without its record, of the key", at);
  }
  if (keys_[at].holder_count < wait_of(line.claims.first).limit)
    return at_record("a first in line who could be let in, of the key", at);
  return std::nullopt;
}

/// Invariant 4 and the second half of 5.
std::optional<std::string> LockTable::check_sessions() const {
  std::size_t keys_unseen = 0;
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1))
    keys_unseen += keys_[at].kind == LockKind::exclusive ? 1 : 0;
  std::size_t claims_seen = 0;
  for (std::uint32_t at = sessions_.next_live(0); at != no_index; at = sessions_.next_live(at + 1)) {
    const SessionRecord& session = sessions_[at];
    if (session.hash != hash_session(seed_, session.id)) return at_record("a wrong hash of the session", at);
    if (find_session({session.id, session.hash}).index != at)
      return at_record("a session that its index does not find", at);
    if (auto broken = check_wait(at)) return broken;
    claims_seen += session.wait != no_index ? 1 : 0;
    if (auto broken = check_keys_of(at, keys_unseen)) return broken;
    if (auto broken = check_claims_of(at, claims_seen)) return broken;
  }
  if (keys_unseen != 0) return "an exclusive key is no session's";
  if (claims_seen != claims_.size()) return "a claim is no session's";
  return std::nullopt;
}

std::optional<std::string> LockTable::check_keys_of(std::uint32_t session, std::size_t& unseen) const {
  std::uint32_t previous = no_index;
  for (std::uint32_t key = sessions_[session].first_key; key != no_index; key = keys_[key].hold.session_next) {
    if (!keys_.is_live(key) || keys_[key].kind != LockKind::exclusive || keys_[key].hold.session != session)
      return at_record("a foreign key in the list of the session", session);
    if (keys_[key].hold.session_previous != previous) return at_record("a broken list of keys of the session", session);
    previous = key;
    if (unseen-- == 0) return at_record("a list without an end, of the session", session);
  }
  return std::nullopt;
}

std::optional<std::string> LockTable::check_claims_of(std::uint32_t session, std::size_t& seen) const {
  std::uint32_t previous = no_index;
  for (std::uint32_t hold = sessions_[session].first_claim; hold != no_index; hold = claims_[hold].session_next) {
    if (!claims_.is_live(hold) || claims_[hold].session != session || claims_[hold].waits())
      return at_record("a foreign hold in the list of the session", session);
    if (claims_[hold].session_previous != previous) return at_record("a broken list of holds of the session", session);
    previous = hold;
    if (++seen > claims_.size()) return at_record("a list without an end, of the session", session);
  }
  return std::nullopt;
}

std::optional<std::string> LockTable::check_wait(std::uint32_t session) const {
  const std::uint32_t wait = sessions_[session].wait;
  if (wait == no_index) return std::nullopt;
  if (!claims_.is_live(wait) || claims_[wait].session != session || !claims_[wait].waits())
    return at_record("a foreign wait of the session", session);
  return std::nullopt;
}

/// Invariant 7.
std::optional<std::string> LockTable::check_ages(LockKind kind) const {
  const AgeList& list = ages_[slot(kind)];
  std::uint64_t waiters_seen = 0;
  std::uint32_t older = no_index;
  for (std::uint32_t claim = list.oldest; claim != no_index; older = claim, claim = wait_of(claim).newer) {
    if (!claims_.is_live(claim) || !claims_[claim].waits() || keys_[claims_[claim].key].kind != kind)
      return at_record("a foreign claim in the list of waiters", claim);
    if (wait_of(claim).older != older) return at_record("a broken list of waiters", claim);
    ++waiters_seen;
  }
  if (list.newest != older) return "a wrong newest waiter";
  if (waiters_seen != totals_[kind].waiters) return "a waiter is not in the list of waiters";
  return std::nullopt;
}

/// Invariant 9.
std::optional<std::string> LockTable::check_totals(LockKind kind) const {
  const KindTotals& totals = totals_[kind];
  KindTotals found;
  std::map<std::uint32_t, std::uint32_t> lines_of;  // by length
  for (std::uint32_t at = keys_.next_live(0); at != no_index; at = keys_.next_live(at + 1)) {
    if (keys_[at].kind != kind) continue;
    ++found.keys;
    found.holders += keys_[at].holder_count;
    found.waiters += line_length(keys_[at]);
    if (keys_[at].line != no_index) ++lines_of[line_length(keys_[at])];
  }
  if (found.keys != totals.keys) return "the count of keys differs from the keys";
  if (found.holders != totals.holders) return "the count of holders differs from the holders";
  if (found.waiters != totals.waiters) return "the count of waiters differs from the waiters";
  if (totals.grants != totals.holders + totals.hold_ms.total()) return "a grant that neither lasts nor ended";
  if (totals.waits != totals.waiters + totals.wait_ms.total()) return "a wait that neither lasts nor ended";

  const LineLengths& lengths = line_lengths_[slot(kind)];
  const std::uint32_t longest = lines_of.empty() ? 0 : lines_of.rbegin()->first;
  if (lengths.longest() != longest) return "the longest line is not the longest";
  for (std::uint32_t length = 1; length <= longest; ++length) {
    if (lengths.lines_of(length) != lines_of[length]) return "the lengths of lines differ from the lines";
  }
  return std::nullopt;
}

/// Invariant 8, and that indices and slabs hold nothing else.
std::optional<std::string> LockTable::check_indices() const {
  const KindTotals& shared = totals_[LockKind::shared];
  if (tokens_.left() < waits_.size()) return "fewer tokens than waiters";
  if (waits_.size() != totals_[LockKind::exclusive].waiters + shared.waiters) return "a wait record is nobody's";
  if (key_index_.size() != keys_.size()) return "the index of keys has entries without a key";
  if (session_index_.size() != sessions_.size()) return "the index of sessions has entries without a session";
  if (claim_index_.size() != shared.holders + shared.waiters)
    return "the index of claims has entries without a shared claim";
  return std::nullopt;
}

}  // namespace lockd::engine
