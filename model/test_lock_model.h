// A lock model for tests to act on: each event is one short call, and each state that it reaches is checked.
#ifndef LOCKD_MODEL_TEST_LOCK_MODEL_H_
#define LOCKD_MODEL_TEST_LOCK_MODEL_H_

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "model/lock_model.h"

namespace lockd::model {

inline constexpr SessionId alice{1};
inline constexpr SessionId bob{2};
inline constexpr SessionId carol{3};
inline constexpr SessionId dave{4};
inline constexpr SessionId erin{5};
inline constexpr SessionId frank{6};

using Replies = std::vector<Reply>;

/// What a request gets that has to wait, and an illegal event.
inline const Replies nothing{};

/// The six sessions are live at the start. Each call returns all replies of its step, and throws if the state that it
/// leads to is not sound.
class TestLockModel {
 public:
  explicit TestLockModel(LockModel start = {}) : state_(std::move(start)) {
    for (const SessionId session : {alice, bob, carol, dave, erin, frank}) happens(SessionBegins{session});
  }

  const LockModel& state() const { return state_; }

  Replies happens(const Event& event) {
    auto [state, replies] = step(std::move(state_), event);
    state_ = std::move(state);
    for (const std::string& violation : state_.violations()) throw std::logic_error(violation);
    return replies;
  }

  Replies g(SessionId session, const Key& key) { return happens(SessionAsks{session, Verb::get, key}); }
  Replies r(SessionId session, const Key& key) { return happens(SessionAsks{session, Verb::release, key}); }
  Replies sg(SessionId session, const Key& key) { return happens(SessionAsks{session, Verb::get_shared, key}); }
  Replies sr(SessionId session, const Key& key) { return happens(SessionAsks{session, Verb::release_shared, key}); }
  Replies gw(SessionId session, const Key& key, std::uint32_t milliseconds = 1000) {
    return happens(SessionAsks{session, Verb::get_wait, key, 0, milliseconds});
  }
  Replies sgl(SessionId session, std::uint32_t limit, const Key& key) {
    return happens(SessionAsks{session, Verb::get_limited, key, limit});
  }
  Replies sgw(SessionId session, std::uint32_t limit, const Key& key, std::uint32_t milliseconds = 1000) {
    return happens(SessionAsks{session, Verb::get_limited_wait, key, limit, milliseconds});
  }
  Replies asks(SessionId session, Verb verb, const Key& key) { return happens(SessionAsks{session, verb, key}); }
  Replies times_out(SessionId session) { return happens(WaitTimesOut{session}); }
  Replies is_canceled(SessionId session) { return happens(WaitIsCanceled{session}); }
  Replies ends(SessionId session) { return happens(SessionEnds{session}); }

  /// Who holds a lock, in the order of taking, and who waits for it, in the order of the line.
  std::vector<SessionId> holders(const Lock& lock) const {
    std::vector<SessionId> sessions;
    for (const Holder& holder : state_.holders(lock)) sessions.push_back(holder.session);
    return sessions;
  }
  std::vector<SessionId> line(const Lock& lock) const {
    std::vector<SessionId> sessions;
    for (const Waiter& waiter : state_.line(lock)) sessions.push_back(waiter.session);
    return sessions;
  }

 private:
  LockModel state_;
};

inline Reply reply(SessionId to, Outcome outcome, const Key& key, std::uint64_t number = 0) {
  return {to, {outcome, number}, key};
}
inline Reply got(SessionId to, const Key& key) { return reply(to, Outcome::lock_get_success, key); }
inline Reply released(SessionId to, const Key& key) { return reply(to, Outcome::lock_release_success, key); }
inline Reply shared(SessionId to, const Key& key, std::uint64_t holders) {
  return reply(to, Outcome::shared_get_success, key, holders);
}
inline Reply unshared(SessionId to, const Key& key) { return reply(to, Outcome::shared_release_success, key); }

inline Lock exclusive_lock(const Key& key) { return {LockKind::exclusive, key}; }
inline Lock shared_lock(const Key& key) { return {LockKind::shared, key}; }

}  // namespace lockd::model

#endif  // LOCKD_MODEL_TEST_LOCK_MODEL_H_
