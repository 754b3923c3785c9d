// The answers of many lines: d, sd, dump, who, list (L1, L2, L5, R3, E2).
#ifndef LOCKD_SERVER_LISTING_H_
#define LOCKD_SERVER_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sharded_table.h"
#include "model/types.h"
#include "server/services.h"

namespace lockd::server {

/// One listing under way. It is written in slices, so that neither its length nor a slow reader costs anybody else
/// anything: what it keeps between slices is a place in the table and the holders of the few keys that it looked at
/// last.
///
/// A value: copyable, no thread of its own. Used by one session.
template <class Mutex>
class Listing {
 public:
  /// verb: list_locks, list_shared, dump, who or list; text: what followed it.
  Listing(Verb verb, std::string_view text);

  /// Appends a slice to `out`: about slice_bytes_max of it, or as much as a look at slice_records_max records gives.
  /// True when all has been given; a further call is true and appends nothing.
  bool go_on(const Services<Mutex>& services, std::string& out);

  static constexpr std::size_t slice_bytes_max = 64 * 1024;  // a turn's worth, as of input
  static constexpr std::size_t slice_records_max = 2048;     // some 100 us, also where it finds nothing to show

 private:
  /// A holder, a waiter, or a name.
  struct Row {
    Label label;
    std::uint64_t token = 0;   // of `list`; 0 for a waiter
    std::uint64_t age_ms = 0;  // the same
  };

  /// What is still to be written: a key with those who have it, as they were at one moment (L5), or a row of `who`.
  struct Group {
    std::string title;  // the key; of `who` the address
    LockKind kind = LockKind::exclusive;
    std::vector<Row> rows;
  };

  /// How far one look under a shard's mutex may go.
  static constexpr std::size_t look_records_max = 32;  // keys, or holders of shared ones, and the last key's whole

  std::size_t look(const Services<Mutex>& services);
  void look_at_key(const Services<Mutex>& services);
  void look_at_holders(const Services<Mutex>& services);
  void look_at_claims(const Services<Mutex>& services);
  std::size_t look_at_names(const Services<Mutex>& services);
  void write(std::string& out, std::size_t bytes_end);
  void write_row(std::string& out, const Group& group);
  void write_pair(std::string& out, const Group& group) const;
  void write_json(std::string& out, const Group& group);
  void write_claim(std::string& out, const Group& group) const;

  LockKind kind() const;

  Verb verb_;
  std::string text_;  // the key of d and sd, the name of who, the prefix of list; of dump whether it is `shared`

  engine::TableCursor cursor_;
  std::uint64_t names_after_ = 0;
  std::uint64_t names_until_ = 0;  // names set later are not waited for: they might come for ever
  bool looked_at_all_ = false;

  std::vector<Group> groups_;
  std::size_t group_at_ = 0;  // the next to be written...
  std::size_t row_at_ = 0;    // ...and within it
  bool first_key_ = true;     // dump: no comma yet
  bool opened_ = false;
  bool finished_ = false;
};

extern template class Listing<engine::NullMutex>;
extern template class Listing<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_LISTING_H_
