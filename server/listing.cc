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
  if (verb_ != Verb::dump && !text_.empty()) {
    look_at_key(services);
    return 1;
  }
  const auto see = [&](std::string_view key, std::uint64_t holder_count, auto for_each_holder) {
    Group& group = groups_.emplace_back(Group{std::string(key), {}});
    group.labels.reserve(holder_count);
    for_each_holder([&](SessionId holder) {
      group.labels.push_back(verb_ == Verb::dump ? services.registry.address(holder)
                                                 : services.registry.holder(holder));
    });
  };
  looked_at_all_ = !services.table.visit(kind(), cursor_, look_records_max, see);
  std::size_t holders = 0;
  for (const Group& group : groups_) holders += group.labels.size();
  return std::max(look_records_max, holders);
}

template <class Mutex>
void Listing<Mutex>::look_at_key(const Services<Mutex>& services) {
  Group group{text_, {}};
  services.table.visit_holders(kind(), text_,
                               [&](SessionId holder) { group.labels.push_back(services.registry.holder(holder)); });
  groups_.push_back(std::move(group));
  looked_at_all_ = true;
}

template <class Mutex>
std::size_t Listing<Mutex>::look_at_names(const Services<Mutex>& services) {
  if (names_after_ == 0) names_until_ = services.registry.last_named_at();
  const auto rows = services.registry.names_between(names_after_, names_until_, look_records_max);
  for (const auto& row : rows) {
    if (text_.empty() || *row.name == text_) groups_.push_back(Group{*row.address, {row.name}});
  }
  looked_at_all_ = rows.size() < look_records_max;
  return look_records_max;
}

/// Writes what is left of groups_ until `out` has reached bytes_end.
template <class Mutex>
void Listing<Mutex>::write(std::string& out, std::size_t bytes_end) {
  while (group_at_ < groups_.size()) {
    const Group& group = groups_[group_at_];
    while (label_at_ < group.labels.size()) {
      if (out.size() >= bytes_end) return;
      verb_ == Verb::dump ? write_json(out, group) : write_label(out, group);
      ++label_at_;
    }
    label_at_ = 0;
    ++group_at_;
  }
}

template <class Mutex>
void Listing<Mutex>::write_label(std::string& out, const Group& group) {
  out.append(group.title).append(": ").append(*group.labels[label_at_]).push_back('\n');
}

/// L2: a member of the object, or the next piece of it.
template <class Mutex>
void Listing<Mutex>::write_json(std::string& out, const Group& group) {
  const bool array = kind() == LockKind::shared;
  if (label_at_ == 0) {
    if (!std::exchange(first_key_, false)) out.push_back(',');
    print_json_string(out, group.title);
    out.append(array ? ":[" : ":");
  } else {
    out.push_back(',');
  }
  print_json_string(out, *group.labels[label_at_]);
  if (array && label_at_ + 1 == group.labels.size()) out.push_back(']');
}

template class Listing<engine::NullMutex>;
template class Listing<std::mutex>;

}  // namespace lockd::server
