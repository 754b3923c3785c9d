#include "histories/session_rules.h"

#include <map>
#include <optional>
#include <utility>

namespace lockd::histories {
namespace {

using Lock = std::pair<LockKind, std::uint32_t>;

// What is known of a session by its answers so far.
struct Session {
  std::map<Lock, std::optional<std::uint64_t>> holds;  // with the token, where it is known
  std::map<Lock, std::size_t> told;                    // the operation that told it
  std::vector<std::size_t> canceled;                   // waits whose `cancel` has not been answered yet
  std::optional<std::size_t> unanswered;               // the first
  std::size_t cancels_unanswered = 0;
};

class Rules {
 public:
  explicit Rules(const History& history) : history_(history) {}

  std::vector<Fault> broken() && {
    for (std::size_t i = 0; i < history_.operations.size(); ++i) take(i);
    for (auto& [number, session] : sessions_) {
      if (session.canceled.size() > session.cancels_unanswered)
        fault("a wait was canceled, and no cancel says so", session.canceled);
    }
    return std::move(faults_);
  }

 private:
  void fault(std::string what, std::vector<std::size_t> operations) {
    faults_.push_back({std::move(what), std::move(operations)});
  }

  void take(std::size_t i) {
    const Operation& operation = history_.operations[i];
    Session& session = sessions_[operation.session];
    if (is_end(operation.act)) return check_end(session, i);
    if (!operation.is_answered()) {
      if (!session.unanswered) session.unanswered = i;
      session.cancels_unanswered += operation.act == Act::cancel ? 1 : 0;
      return;
    }
    follow(session, i);
  }

  void check_end(const Session& session, std::size_t i) {
    const Operation& end = history_.operations[i];
    if (!session.unanswered || !end.is_answered()) return;
    const bool may_drop_wait = end.act == Act::fin && may_wait(history_.operations[*session.unanswered]);
    if ((end.act == Act::fin || end.act == Act::quit) && !may_drop_wait)
      fault("a request before the end was not answered, though the stream was read to its end",
            {*session.unanswered, i});
  }

  void follow(Session& session, std::size_t i) {
    const Operation& operation = history_.operations[i];
    const Lock lock{kind_of(operation.act), operation.key};
    switch (operation.outcome) {
      case Outcome::lock_get_success:
      case Outcome::shared_get_success:
        session.holds.try_emplace(lock);
        return;
      case Outcome::lock_release_success:
      case Outcome::shared_release_success:
        session.holds.erase(lock);
        return;
      case Outcome::lock_get_timeout:
      case Outcome::shared_get_timeout:
        if (operation.answered - operation.invoked < operation.milliseconds * nanoseconds_of_millisecond)
          fault("a wait timed out before its time", {i});
        return;
      case Outcome::lock_get_canceled:
      case Outcome::shared_get_canceled:
        session.canceled.push_back(i);
        return;
      case Outcome::canceled:
        if (session.canceled.empty()) return fault("a cancel says yes, and no wait was canceled", {i});
        session.canceled.erase(session.canceled.begin());
        return;
      case Outcome::locks_released:
        if (operation.number != session.holds.size())
          fault("the session held " + std::to_string(session.holds.size()) + " locks", {i});
        session.holds.clear();
        return;
      case Outcome::lock_token:
      case Outcome::shared_token:
        return check_token(session, lock, i);
      default:
        if (operation.act == Act::has || operation.act == Act::has_shared) session.holds.try_emplace(lock);
    }
  }

  // That the lock is held at all is the search's business.
  void check_token(Session& session, const Lock& lock, std::size_t i) {
    const std::uint64_t token = history_.operations[i].number;
    const auto hold = session.holds.find(lock);
    if (hold == session.holds.end()) return;
    if (hold->second && *hold->second != token) {
      fault("the token of a lock changed while it was held", {session.told[lock], i});
    } else if (!hold->second) {
      const auto [other, is_new] = tokens_.try_emplace(token, i);
      if (!is_new) fault("two grants have the same token", {other->second, i});
      hold->second = token;
      session.told[lock] = i;
    }
  }

  const History& history_;
  std::unordered_map<std::uint32_t, Session> sessions_;
  std::unordered_map<std::uint64_t, std::size_t> tokens_;  // and who told first of them
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> broken_rules(const History& history) { return Rules(history).broken(); }

}  // namespace lockd::histories
