// Which sessions there are: their addresses and their names.
#ifndef LOCKD_SERVER_REGISTRY_H_
#define LOCKD_SERVER_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "model/types.h"

namespace lockd::server {

/// A text that several threads may be showing while its session changes it.
using Label = std::shared_ptr<const std::string>;

/// The open sessions. All calls from any thread; each takes effect at one moment. Taken while a table's shard is
/// locked, never the other way round. Mutex: as in engine::ShardedTable.
template <class Mutex>
class Registry {
 public:
  /// A new session (S1), without a name.
  void add(SessionId id, std::string address) {
    const std::lock_guard lock(mutex_);
    const bool added =
        entries_.try_emplace(id, Entry{std::make_shared<const std::string>(std::move(address)), 0}).second;
    LOCKD_CHECK(added, "a session's number is never used again");
  }

  /// The session is over and holds nothing any more. Its name goes with it.
  void remove(SessionId id) {
    const std::lock_guard lock(mutex_);
    forget(entries_.at(id));
    entries_.erase(id);
  }

  /// R2: sets the name, moving it to the end of `who`; an empty one is none.
  void name(SessionId id, std::string_view name) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(id);
    forget(entry);
    if (name.empty()) return;
    entry.named_at = ++last_named_at_;
    names_.emplace(entry.named_at, Named{entry.address, std::make_shared<const std::string>(name)});
  }

  /// R1: IP:PORT, [IP]:PORT or unix:N.
  Label address(SessionId id) const {
    const std::lock_guard lock(mutex_);
    return entries_.at(id).address;
  }

  /// HOLDER of L1: the name, or else the address.
  Label holder(SessionId id) const {
    const std::lock_guard lock(mutex_);
    const Entry& entry = entries_.at(id);
    return entry.named_at == 0 ? entry.address : names_.at(entry.named_at).name;
  }

  /// A row of `who`.
  struct Named {
    Label address;
    Label name;
  };

  /// When the name that is the last of `who` now was set, on a clock that counts names; 0 before the first.
  std::uint64_t last_named_at() const {
    const std::lock_guard lock(mutex_);
    return last_named_at_;
  }

  /// R3, a slice of at most `count_max` rows, in the order in which the names were set: of those set after `after`,
  /// which goes on to the last one given, and not after `until`.
  std::vector<Named> names_between(std::uint64_t& after, std::uint64_t until, std::size_t count_max) const {
    const std::lock_guard lock(mutex_);
    std::vector<Named> rows;
    const auto end = names_.upper_bound(until);
    for (auto at = names_.upper_bound(after); at != end && rows.size() < count_max; ++at) {
      rows.push_back(at->second);
      after = at->first;
    }
    return rows;
  }

  /// Sessions open now (L3: `connections`).
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Label address;
    std::uint64_t named_at = 0;  // its place in names_; 0 without a name
  };

  void forget(Entry& entry) {
    names_.erase(entry.named_at);
    entry.named_at = 0;
  }

  mutable Mutex mutex_;
  std::unordered_map<SessionId, Entry> entries_;  // guarded by mutex_, as is all that follows
  std::map<std::uint64_t, Named> names_;          // in the order of setting
  std::uint64_t last_named_at_ = 0;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_REGISTRY_H_
