#include "server/listing.h"

#include <algorithm>
#include <utility>

#include "server/protocol.h"

namespace lockd::server {

template <class Mutex>
Listing<Mutex>::Listing(Verb verb, std::string_view text) : verb_(verb), text_(text) {}

template <class Mutex>
LockKind Listing<Mutex>::kind() const {
  const bool shared = verb_ == Verb::list_shared || (verb_ == Verb::dump && text_ == "shared");
  return shared ? LockKind::shared : LockKind::exclusive;
}

template <class Mutex>
bool Listing<Mutex>::go_on(const Services<Mutex>& services, std::string& out) {
  if (finished_) return true;
  if (verb_ == Verb::dump && !std::exchange(opened_, true)) out.push_back('{');
  const std::size_t bytes_end = out.size() + slice_bytes_max;
  for (std::size_t records = 0; records < slice_records_max;) {
    write(out, bytes_end);
    if (out.size() >= bytes_end) return false;
    if (looked_at_all_) {
      if (verb_ == Verb::dump) out.append("}\n");
      if (verb_ == Verb::list) out.append("END\n");
      return finished_ = true;
    }
    groups_.clear();
    group_at_ = 0;
    records += look(services);
  }
  return false;
}

/// Fills groups_ anew with what comes next. Returns how many records that took.
template <class Mutex>
std::size_t Listing<Mutex>::look(const Services<Mutex>& services) {
  if (verb_ == Verb::who) return look_at_names(services);
  const bool one_key = (verb_ == Verb::list_locks || verb_ == Verb::list_shared) && !text_.empty();
  if (one_key) {
    look_at_key(services);
    return 1;
  }
  verb_ == Verb::list ? look_at_claims(services) : look_at_holders(services);
  std::size_t rows = 0;
  for (const Group& group : groups_) rows += group.rows.size();
  return std::max(look_records_max, rows);
}

template <class Mutex>
void Listing<Mutex>::look_at_key(const Services<Mutex>& services) {
  Group group{text_, kind(), {}};
  services.table.visit_holders(kind(), text_,
                               [&](SessionId holder) { group.rows.push_back({services.registry.holder(holder)}); });
  groups_.push_back(std::move(group));
  looked_at_all_ = true;
}

template <class Mutex>
void Listing<Mutex>::look_at_holders(const Services<Mutex>& services) {
  const auto see = [&](std::string_view key, std::uint64_t holder_count, auto for_each_holder) {
    Group& group = groups_.emplace_back(Group{std::string(key), kind(), {}});
    group.rows.reserve(holder_count);
    for_each_holder([&](SessionId holder) {
      group.rows.push_back(
          {verb_ == Verb::dump ? services.registry.address(holder) : services.registry.holder(holder)});
    });
  };
  looked_at_all_ = !services.table.visit(kind(), cursor_, look_records_max, see);
}

/// E2. An age counts from the moment of the turn, which may lie before that of a claim of another thread's.
template <class Mutex>
void Listing<Mutex>::look_at_claims(const Services<Mutex>& services) {
  const engine::Moment now = services.turn.now;
  const auto see = [&](LockKind kind, std::string_view key, std::uint64_t claim_count, auto for_each_claim) {
    if (!key.starts_with(text_)) return;
    Group& group = groups_.emplace_back(Group{std::string(key), kind, {}});
    group.rows.reserve(claim_count);
    for_each_claim([&](const auto& claim) {
      group.rows.push_back({services.registry.holder(claim.session), claim.token, now - std::min(now, claim.since)});
    });
  };
  looked_at_all_ = !services.table.visit_claims(cursor_, look_records_max, see);
}

template <class Mutex>
std::size_t Listing<Mutex>::look_at_names(const Services<Mutex>& services) {
  if (names_after_ == 0) names_until_ = services.registry.last_named_at();
  const auto rows = services.registry.names_between(names_after_, names_until_, look_records_max);
  for (const auto& row : rows) {
    if (text_.empty() || *row.name == text_) groups_.push_back(Group{*row.address, {}, {{row.name}}});
  }
  looked_at_all_ = rows.size() < look_records_max;
  return look_records_max;
}

/// Writes what is left of groups_ until `out` has reached bytes_end.
template <class Mutex>
void Listing<Mutex>::write(std::string& out, std::size_t bytes_end) {
  while (group_at_ < groups_.size()) {
    const Group& group = groups_[group_at_];
    while (row_at_ < group.rows.size()) {
      if (out.size() >= bytes_end) return;
      write_row(out, group);
      ++row_at_;
    }
    row_at_ = 0;
    ++group_at_;
  }
}

template <class Mutex>
void Listing<Mutex>::write_row(std::string& out, const Group& group) {
  if (verb_ == Verb::dump) return write_json(out, group);
  if (verb_ == Verb::list) return write_claim(out, group);
  write_pair(out, group);
}

/// L1, R3.
template <class Mutex>
void Listing<Mutex>::write_pair(std::string& out, const Group& group) const {
  out.append(group.title).append(": ").append(*group.rows[row_at_].label).push_back('\n');
}

/// E2: MODE STATE AGE_MS TOKEN HOLDER KEY.
template <class Mutex>
void Listing<Mutex>::write_claim(std::string& out, const Group& group) const {
  const Row& row = group.rows[row_at_];
  out.append(group.kind == LockKind::exclusive ? "x " : "s ").append(row.token == 0 ? "waiting " : "held ");
  print_number(out, row.age_ms);
  out.push_back(' ');
  print_number(out, row.token);
  out.push_back(' ');
  print_listed_holder(out, *row.label);
  out.append(" ").append(group.title).push_back('\n');
}

/// L2: a member of the object, or the next piece of it.
template <class Mutex>
void Listing<Mutex>::write_json(std::string& out, const Group& group) {
  const bool array = kind() == LockKind::shared;
  if (row_at_ == 0) {
    if (!std::exchange(first_key_, false)) out.push_back(',');
    print_json_string(out, group.title);
    out.append(array ? ":[" : ":");
  } else {
    out.push_back(',');
  }
  print_json_string(out, *group.rows[row_at_].label);
  if (array && row_at_ + 1 == group.rows.size()) out.push_back(']');
}

template class Listing<engine::NullMutex>;
template class Listing<std::mutex>;

}  // namespace lockd::server
