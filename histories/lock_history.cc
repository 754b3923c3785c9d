#include "histories/lock_history.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace lockd::histories {
namespace {

using Places = std::vector<std::size_t>;  // of operations in the history

// The operations of each session, in its order.
std::vector<Places> by_session(const History& history) {
  std::unordered_map<std::uint32_t, std::size_t> index;
  std::vector<Places> sessions;
  for (std::size_t place = 0; place < history.operations.size(); ++place) {
    const auto [at, is_new] = index.try_emplace(history.operations[place].session, sessions.size());
    if (is_new) sessions.emplace_back();
    sessions[at->second].push_back(place);
  }
  return sessions;
}

bool timed_out(const Operation& operation) {
  return operation.is_answered() && may_wait(operation) &&
         (operation.outcome == Outcome::lock_get_timeout || operation.outcome == Outcome::shared_get_timeout);
}

bool was_canceled(const Operation& operation) {
  return operation.is_answered() && may_wait(operation) &&
         (operation.outcome == Outcome::lock_get_canceled || operation.outcome == Outcome::shared_get_canceled);
}

bool was_had(const Operation& operation) {
  return operation.is_answered() && is_get(operation.act) &&
         (operation.outcome == Outcome::lock_get_success || operation.outcome == Outcome::shared_get_success);
}

bool was_released(const Operation& operation) {
  return operation.is_answered() &&
         (operation.outcome == Outcome::lock_release_success || operation.outcome == Outcome::shared_release_success);
}

Moment duration_of(const Operation& wait) { return wait.milliseconds * nanoseconds_of_millisecond; }

bool is_look(Act act) {
  return act == Act::inspect || act == Act::inspect_line || act == Act::token || act == Act::inspect_shared ||
         act == Act::inspect_shared_line || act == Act::token_shared;
}

bool is_release(Act act) { return act == Act::release || act == Act::release_shared; }

// Between which moments an operation of a session arrives, and leaves. Both are equal but for a wait that ended.
struct Span {
  Moment arrives_earliest, arrives_latest, leaves_earliest, leaves_latest, expected;
};

// One session's operations with their spans, and its events on each lock.
class SessionSplitter {
 public:
  SessionSplitter(const History& history, const Places& places) : history_(history), places_(places) {
    spans_.resize(places.size());
    run_forward();
    run_backward();
  }

  void split(std::map<std::pair<LockKind, std::uint32_t>, LockHistory>& locks) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Operation& operation = at(i);
      if (operation.act == Act::cancel) continue;
      if (has_key(operation.act)) {
        add_to(locks_[{kind_of(operation.act), operation.key}], i);
        continue;
      }
      for (auto& [lock, side] : locks_) {
        if (side.may_hold) add_to(side, i);
      }
    }
    for (auto& [lock, side] : locks_) {
      LockHistory& whole = locks[lock];
      std::tie(whole.kind, whole.key) = lock;
      if (!side.events.empty()) whole.sessions.push_back(std::move(side.events));
    }
  }

 private:
  // A session's side of one lock.
  struct Side {
    SessionEvents events;
    bool may_hold = false;
    bool holds = false;     // by its answers
    std::size_t grant = 0;  // while it holds: which event began that
  };

  const Operation& at(std::size_t i) const { return history_.operations[places_[i]]; }

  // Nothing happens before what stands before it.
  void run_forward() {
    Moment floor = 0;
    Moment last_answer = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Operation& operation = at(i);
      Span& span = spans_[i];
      floor = std::max(floor, operation.invoked);
      span.arrives_earliest = floor;
      if (timed_out(operation)) floor += duration_of(operation);
      if (was_canceled(operation)) floor = std::max(floor, next_cancel(i));
      span.leaves_earliest = floor;
      const bool is_quick = operation.is_answered() && !may_wait(operation) && !is_end(operation.act);
      span.expected = is_quick ? operation.answered : std::max(operation.invoked, last_answer);
      if (operation.is_answered()) last_answer = operation.answered;
    }
  }

  // Nor after what stands behind it.
  void run_backward() {
    Moment ceiling = never;
    for (std::size_t i = places_.size(); i-- > 0;) {
      const Operation& operation = at(i);
      Span& span = spans_[i];
      ceiling = std::min(ceiling, operation.answered);
      span.leaves_latest = ceiling;
      if (timed_out(operation)) ceiling -= duration_of(operation);
      span.arrives_latest = ceiling;
    }
  }

  Moment next_cancel(std::size_t i) const {
    while (++i < places_.size()) {
      if (at(i).act == Act::cancel) return at(i).invoked;
    }
    return 0;
  }

  void add_to(Side& side, std::size_t i) const {
    const Operation& operation = at(i);
    const bool is_answered = operation.is_answered();
    if (!is_answered && (is_look(operation.act) || (is_release(operation.act) && !side.may_hold))) return;
    const Span& span = spans_[i];
    const Part first = may_wait(operation) ? Part::arrives : Part::whole;
    side.events.push_back(
        {places_[i], first, is_answered, span.arrives_earliest, span.arrives_latest, span.expected, 0});
    if (first == Part::arrives) {
      const Moment expected = is_answered ? operation.answered : never;
      side.events.push_back(
          {places_[i], Part::leaves, is_answered, span.leaves_earliest, span.leaves_latest, expected, 0});
    }
    follow(side, operation);
  }

  // What the answer says of the lock, for the session alone changes what it holds.
  static void follow(Side& side, const Operation& operation) {
    const bool takes = was_had(operation) || operation.act == Act::has || operation.act == Act::has_shared;
    const bool gives = was_released(operation) || (operation.act == Act::release_all && operation.is_answered());
    if (takes && !side.holds) {
      side.holds = true;
      side.grant = side.events.size() - 1;
    }
    if (gives) side.holds = side.may_hold = false;
    if (takes || (is_get(operation.act) && !operation.is_answered())) side.may_hold = true;
    const bool tells = operation.is_answered() &&
                       (operation.outcome == Outcome::lock_token || operation.outcome == Outcome::shared_token);
    if (tells && side.holds && side.events[side.grant].token == 0) side.events[side.grant].token = operation.number;
  }

  const History& history_;
  const Places& places_;
  std::vector<Span> spans_;
  std::map<std::pair<LockKind, std::uint32_t>, Side> locks_;
};

}  // namespace

std::vector<LockHistory> locks_of(const History& history) {
  std::map<std::pair<LockKind, std::uint32_t>, LockHistory> locks;
  for (const Places& places : by_session(history)) SessionSplitter(history, places).split(locks);
  std::vector<LockHistory> all;
  for (auto& [lock, whole] : locks) {
    if (!whole.sessions.empty()) all.push_back(std::move(whole));
  }
  return all;
}

}  // namespace lockd::histories
