// From an illegal history of one lock to a small one.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "histories/checker.h"
#include "histories/lock_history.h"

namespace lockd::histories {
namespace {

using Operations = std::vector<Operation>;

bool is_had(const Operation& operation) {
  return operation.act == Act::has || operation.act == Act::has_shared ||
         (operation.is_answered() && is_get(operation.act) &&
          (operation.outcome == Outcome::lock_get_success || operation.outcome == Outcome::shared_get_success));
}

bool is_released(const Operation& operation) {
  return operation.is_answered() &&
         (operation.outcome == Outcome::lock_release_success || operation.outcome == Outcome::shared_release_success);
}

bool was_in_line(const Operation& operation) {
  return operation.is_answered() && may_wait(operation) && operation.outcome != Outcome::lock_get_deadlock;
}

// Whether it changed nothing, by its answer: to leave it out can make nothing illegal.
bool changed_nothing(const Operation& operation) {
  return operation.is_answered() && !is_end(operation.act) && !is_had(operation) && !is_released(operation) &&
         !was_in_line(operation) && operation.act != Act::cancel;
}

// Whether it needed somebody else to have the lock.
bool needs_others(const Operation& operation) {
  return operation.is_answered() && !is_end(operation.act) && !is_had(operation) && !is_released(operation) &&
         operation.act != Act::cancel && operation.act != Act::token && operation.outcome != Outcome::lock_not_locked;
}

// What is left of an operation when nothing after a moment is known.
bool is_kept_until(Operation& operation, Moment moment) {
  if (operation.invoked > moment) return false;
  if (operation.answered <= moment) return true;
  if (changed_nothing(operation) || operation.act == Act::cancel) return false;
  operation.answered = never;
  return true;
}

class Shrinker {
 public:
  Shrinker(const History& history, const BadLock& bad)
      : keys_{history.keys[bad.key]}, kind_(bad.kind), operations_(own_history(history, bad)) {}

  History run(Moment bad_from) {
    if (!is_illegal(operations_)) return {keys_, operations_};  // only where a wait has ended too early
    end_early();
    begin_late(bad_from);
    drop_what_changed_nothing();
    if (kind_ == LockKind::exclusive) drop_holds();
    drop_idle_sessions();
    std::ranges::stable_sort(operations_, {}, &Operation::invoked);
    return {keys_, operations_};
  }

 private:
  // By itself: what is of other locks is in the moments, `ra` releases this lock, and each wait has its `cancel`.
  Operations own_history(const History& history, const BadLock& bad) const {
    const auto locks = locks_of(history);
    const auto lock =
        std::ranges::find_if(locks, [&](const LockHistory& one) { return one.kind == bad.kind && one.key == bad.key; });
    Operations all;
    for (const SessionEvents& events : lock->sessions) {
      bool holds = false;
      for (const Event& event : events) {
        Operation operation = history.operations[event.operation];
        if (event.part == Part::leaves) {
          finish_wait(all, operation, event);
          continue;
        }
        operation.key = 0;
        operation.invoked = std::min(event.earliest, operation.answered);  // a wait that ended too early leaves no time
        if (event.is_answered && event.part == Part::whole)
          operation.answered = std::max(event.latest, operation.invoked);
        if (operation.act == Act::fin || operation.act == Act::quit) operation.act = Act::close;
        if (operation.act == Act::release_all && !as_release(operation, holds)) continue;
        holds = (holds || is_had(operation)) && !is_released(operation);
        all.push_back(operation);
      }
    }
    return all;
  }

  static void finish_wait(Operations& all, Operation cancel, const Event& event) {
    if (event.is_answered) all.back().answered = std::max(event.latest, all.back().invoked);
    const bool canceled = event.is_answered && (cancel.outcome == Outcome::lock_get_canceled ||
                                                cancel.outcome == Outcome::shared_get_canceled);
    if (!canceled) return;
    cancel = {.session = cancel.session, .act = Act::cancel, .outcome = Outcome::canceled};
    cancel.invoked = event.earliest;
    cancel.answered = event.latest;
    all.push_back(cancel);
  }

  bool as_release(Operation& operation, bool holds) const {
    const bool exclusive = kind_ == LockKind::exclusive;
    operation.act = exclusive ? Act::release : Act::release_shared;
    operation.outcome = exclusive ? Outcome::lock_release_success : Outcome::shared_release_success;
    operation.number = 0;
    return holds || !operation.is_answered();
  }

  bool is_illegal(const Operations& operations) const {
    const History history{keys_, operations};
    const auto locks = locks_of(history);
    return std::ranges::any_of(locks, [&](const LockHistory& lock) {
      return search(history, lock, states_of_window_max).verdict == Verdict::illegal;
    });
  }

  static Operations until(const Operations& operations, Moment moment) {
    Operations kept;
    for (Operation operation : operations) {
      if (is_kept_until(operation, moment)) kept.push_back(operation);
    }
    return kept;
  }

  // The first moment at which it is illegal: what was legal by then was legal at all moments before.
  void end_early() {
    std::vector<Moment> moments;
    for (const Operation& operation : operations_) {
      if (operation.is_answered()) moments.push_back(operation.answered);
    }
    std::ranges::sort(moments);
    const auto first =
        std::ranges::partition_point(moments, [&](Moment moment) { return !is_illegal(until(operations_, moment)); });
    if (first != moments.end()) operations_ = until(operations_, *first);
  }

  // From the window that is illegal, and who held the lock by then: by his get, or, as the count of a shared one says
  // too much of others, by a mere statement. Not where it takes the tokens before.
  void begin_late(Moment from) {
    std::set<std::uint32_t> over;
    for (const Operation& operation : operations_) {
      if (is_end(operation.act) && operation.answered < from) over.insert(operation.session);
    }
    std::map<std::uint32_t, Operation> holds;
    Operations later;
    for (const Operation& operation : operations_) {
      if (over.contains(operation.session)) continue;
      if (operation.answered >= from) {
        later.push_back(operation);
      } else if (is_had(operation)) {
        holds.try_emplace(operation.session, operation);
      } else if (is_released(operation)) {
        holds.erase(operation.session);
      }
    }
    Operations all;
    for (const auto& [session, get] : holds) {
      const Operation has{.session = session, .act = Act::has_shared, .answered = 0};
      all.push_back(kind_ == LockKind::exclusive ? get : has);
    }
    all.insert(all.end(), later.begin(), later.end());
    if (is_illegal(all)) operations_ = all;
  }

  // Many at a time, then fewer.
  void drop_what_changed_nothing() {
    for (std::size_t size = operations_.size(); size > 0; size /= 2) {
      for (std::size_t begin = 0; begin < operations_.size(); begin += size) {
        Operations rest;
        for (std::size_t i = 0; i < operations_.size(); ++i) {
          const bool goes = i >= begin && i < begin + size && changed_nothing(operations_[i]);
          if (!goes) rest.push_back(operations_[i]);
        }
        if (rest.size() < operations_.size() && is_illegal(rest)) operations_ = rest;
      }
    }
  }

  // Each hold, from its get to its release, in whose time nobody needed somebody to have the lock; and each wait that
  // came to nothing, in whose time nobody counted the line.
  void drop_holds() {
    for (std::size_t i = 0; i < operations_.size();) {
      const auto rest = was_in_line(operations_[i]) && !is_had(operations_[i]) ? without_wait(i) : without_hold(i);
      if (rest && is_illegal(*rest)) {
        operations_ = *rest;
      } else {
        ++i;
      }
    }
  }

  std::optional<Operations> without_wait(std::size_t place) const {
    const Operation& wait = operations_[place];
    Operations rest;
    bool is_past = false;  // and its `cancel`, if it has one
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& other = operations_[i];
      if (other.act == Act::inspect_line && other.answered >= wait.invoked && other.invoked <= wait.answered)
        return std::nullopt;
      const bool is_next = i > place && other.session == wait.session && !std::exchange(is_past, true);
      if (i == place || (is_next && other.act == Act::cancel)) continue;
      rest.push_back(other);
    }
    return rest;
  }

  std::optional<Operations> without_hold(std::size_t first) const {
    const Operation& get = operations_[first];
    if (!is_had(get) && (!is_get(get.act) || get.is_answered())) return std::nullopt;
    std::set<std::size_t> hold{first};
    Moment until = never;
    for (std::size_t i = first + 1; i < operations_.size(); ++i) {
      if (operations_[i].session != get.session) continue;
      if (is_end(operations_[i].act)) {
        until = operations_[i].answered;
        break;
      }
      hold.insert(i);
      if (!is_released(operations_[i])) continue;
      until = operations_[i].answered;
      break;
    }
    Operations rest;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (hold.contains(i)) continue;
      const Operation& other = operations_[i];
      if (needs_others(other) && other.answered >= get.invoked && other.invoked <= until) return std::nullopt;
      rest.push_back(other);
    }
    return rest;
  }

  // An end, and nothing before it.
  void drop_idle_sessions() {
    std::map<std::uint32_t, std::size_t> sizes;
    for (const Operation& operation : operations_) ++sizes[operation.session];
    std::erase_if(operations_,
                  [&](const Operation& operation) { return is_end(operation.act) && sizes[operation.session] == 1; });
  }

  std::vector<std::string> keys_;
  LockKind kind_;
  Operations operations_;  // each session's in its order
};

}  // namespace

History shrink(const History& history, const BadLock& bad) { return Shrinker(history, bad).run(bad.result.bad_from); }

}  // namespace lockd::histories
