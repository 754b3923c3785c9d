#include "histories/lock_state.h"

#include <algorithm>

#include "engine/check.h"

namespace lockd::histories {
namespace {

void append_number(std::string& out, std::uint32_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

bool LockState::is_held_by(Session session) const { return std::ranges::binary_search(holders_, session); }

bool LockState::has_in_line(Session session) const {
  return std::ranges::find(line_, session, &Waiter::session) != line_.end();
}

bool LockState::can_be_had(std::uint32_t limit, bool heeds_line) const {
  return holders_.size() < limit && (!heeds_line || line_.empty());
}

void LockState::grant(Session session) {
  LOCKD_CHECK(!is_held_by(session), "who holds the lock is not granted it");
  holders_.insert(std::ranges::upper_bound(holders_, session), session);
}

void LockState::enter_line(Session session, std::uint32_t limit) {
  LOCKD_CHECK(!is_held_by(session) && !has_in_line(session), "who waits does not hold the lock, and waits once");
  line_.push_back({session, limit});
}

void LockState::remove(Session session, std::vector<Grant>& grants) {
  std::erase(holders_, session);
  std::erase_if(line_, [=](const Waiter& waiter) { return waiter.session == session; });
  while (!line_.empty() && holders_.size() < line_.front().limit) {
    const Session first = line_.front().session;
    line_.erase(line_.begin());
    grant(first);
    grants.push_back({first, holders_.size()});
  }
}

void LockState::append_bytes(std::string& out) const {
  append_number(out, static_cast<std::uint32_t>(holders_.size()));
  for (const Session session : holders_) append_number(out, session);
  for (const Waiter& waiter : line_) append_number(out, waiter.session);  // whose limit is that of its request
}

}  // namespace lockd::histories
