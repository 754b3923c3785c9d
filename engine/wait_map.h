// Where each session waits that waits for an exclusive lock: how W6 finds its way from one to the next.
#ifndef LOCKD_ENGINE_WAIT_MAP_H_
#define LOCKD_ENGINE_WAIT_MAP_H_

#include <cstdint>
#include <optional>

#include "engine/check.h"
#include "engine/index_table.h"
#include "engine/siphash.h"
#include "engine/slab.h"
#include "model/types.h"

namespace lockd::engine {

/// A place in a line: the shard, and the claim in its table.
struct WaitPlace {
  std::uint32_t shard = 0;
  std::uint32_t claim = no_index;

  friend bool operator==(const WaitPlace&, const WaitPlace&) = default;
};

/// From session to place. All O(1). Only reserve_one() can fail. Copyable; not thread-safe.
class WaitMap {
 public:
  explicit WaitMap(const HashSeed& seed) : seed_(seed) {}

  /// Makes sure that the next add() has room. Throws std::bad_alloc and changes nothing where memory is out.
  void reserve_one() {
    entries_.reserve_one();
    index_.reserve_one([this](std::uint32_t at) { return hash_of(entries_[at].session); });
  }

  /// Of a session that is not in it. Needs a reserve_one() before it; cannot fail then.
  void add(SessionId session, const WaitPlace& place) noexcept {
    LOCKD_CHECK(find_entry(session) == no_index, "a session waits in one place at most");
    const std::uint32_t added = entries_.allocate();
    entries_[added] = {session, place};
    index_.insert(hash_of(session), added);
  }

  /// Of a session that is in it.
  void remove(SessionId session) noexcept {
    const std::uint32_t found = find_entry(session);
    LOCKD_CHECK(found != no_index, "only a session that waited is removed");
    index_.erase(hash_of(session), found, [this](std::uint32_t at) { return hash_of(entries_[at].session); });
    entries_.release(found);
  }

  std::optional<WaitPlace> find(SessionId session) const {
    const std::uint32_t found = find_entry(session);
    if (found == no_index) return std::nullopt;
    return entries_[found].place;
  }

  std::uint32_t size() const { return entries_.size(); }

  /// Calls see(SessionId, const WaitPlace&) for each. For checks.
  template <class See>
  void visit(See see) const {
    for (std::uint32_t at = entries_.next_live(0); at != no_index; at = entries_.next_live(at + 1)) {
      see(entries_[at].session, entries_[at].place);
    }
  }

 private:
  struct Entry {
    SessionId session = SessionId::nobody;
    WaitPlace place;
  };

  std::uint32_t hash_of(SessionId session) const {
    return hash_of_numbers<1>(seed_, {static_cast<std::uint64_t>(session)});
  }

  std::uint32_t find_entry(SessionId session) const {
    return index_.find(hash_of(session), [&](std::uint32_t at) { return entries_[at].session == session; });
  }

  HashSeed seed_;
  Slab<Entry> entries_;
  IndexTable index_;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_WAIT_MAP_H_
