#include "simulator/table_oracle.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "model/reference_printer.h"

namespace lockd::simulator {
namespace {

LockKind kind_of(const model::Reply& reply) {
  return reply.answer.outcome == Outcome::lock_get_success ? LockKind::exclusive : LockKind::shared;
}

bool is_token(const Answer& answer) {
  return answer.outcome == Outcome::lock_token || answer.outcome == Outcome::shared_token;
}

std::string written(const std::optional<Answer>& answer) {
  if (!answer) return "no answer";
  return std::to_string(static_cast<int>(answer->outcome)) + ":" + std::to_string(answer->number);
}

std::uint64_t number_of(SessionId session) { return static_cast<std::uint64_t>(session); }

std::set<model::Lock> held_by(SessionId session, const Claims& claims) {
  std::set<model::Lock> held;
  for (const auto& [lock, list] : claims) {
    const auto is_held = [&](const engine::Claim& claim) { return claim.session == session && claim.token != 0; };
    if (std::ranges::any_of(list, is_held)) held.insert(lock);
  }
  return held;
}

}  // namespace

TableOracle::TableOracle(std::uint64_t locks_max, std::uint64_t waiters_max,
                         std::function<Claims(std::size_t)> claims_of)
    : claims_of_(std::move(claims_of)) {
  model_.max_locks = locks_max;
  model_.max_waiters = waiters_max;
}

void TableOracle::session_begins(SessionId session) { happen(model::SessionBegins{session}); }

TableCall* TableOracle::running() {
  const auto found = calls_.find(simulation->fibers.running());
  return found == calls_.end() ? nullptr : found->second;
}

TableOracle::Replies TableOracle::happen(const model::Event& event) {
  auto [state, replies] = model::step(std::move(model_), event);
  model_ = std::move(state);
  return replies;
}

// The dead session of a call that ends it does not wait any more, be it that it got the lock: from the first shard that
// is unlocked on, or at once where it does not wait.
void TableOracle::begin(TableCall& call) {
  calls_[simulation->fibers.running()] = &call;
  const bool is_first = call.kind == TableCall::Kind::end && model_.live.contains(call.session.id);
  if (is_first && !call.waited) apply(call, {model::SessionEndBegins{call.session.id}});
}

void TableOracle::locked(std::size_t mutex) {
  TableCall* call = running();
  if (call == nullptr) return;
  if (mutex == TableMutex::wait_mutex) {
    if (call->kind != TableCall::Kind::ask) return;
    const auto replies = model::step(model_, call->request).replies;
    call->closes_circle = !replies.empty() && replies.front().answer == Answer{Outcome::lock_get_deadlock};
  } else if (call->kind == TableCall::Kind::release || call->kind == TableCall::Kind::end) {
    call->held_before = held_by(call->session.id, claims_of_(mutex - TableMutex::first_shard));
  }
}

void TableOracle::unlocks(std::size_t mutex) {
  TableCall* call = running();
  if (call == nullptr || mutex == TableMutex::wait_mutex || call->kind == TableCall::Kind::ask) return;
  const SessionId id = call->session.id;
  if (call->kind == TableCall::Kind::leave) {
    if (call->why == engine::Leave::timeout) return apply(*call, {model::WaitTimesOut{id}});
    return apply(*call, {model::WaitIsCanceled{id}});
  }
  std::vector<model::Event> events;
  if (model_.live.contains(id) && call->kind == TableCall::Kind::end) events.emplace_back(model::SessionEndBegins{id});
  const auto held_now = held_by(id, claims_of_(mutex - TableMutex::first_shard));
  for (const model::Lock& lock : call->held_before) {
    if (held_now.contains(lock)) continue;
    if (call->kind == TableCall::Kind::end) events.emplace_back(model::LockOrphaned{id, lock});
    if (call->kind == TableCall::Kind::release) events.emplace_back(model::LockReleased{id, lock});
  }
  apply(*call, events);
}

std::map<SessionId, model::Lock> TableOracle::waits_of_woken(const TableCall& call) const {
  std::map<SessionId, model::Lock> waits;
  for (std::size_t i = call.woken_checked; i < call.woken.size(); ++i) {
    const auto lock = model_.wait_of(call.woken[i].session);
    require(lock.has_value(), "somebody is woken who does not wait (W4)");
    waits.emplace(call.woken[i].session, *lock);
  }
  return waits;
}

void TableOracle::apply(TableCall& call, const std::vector<model::Event>& events) {
  const auto waits = waits_of_woken(call);
  Replies to_others;
  for (const model::Event& event : events) {
    for (model::Reply& reply : happen(event)) {
      if (reply.to == call.session.id) {
        call.expected = reply.answer;
      } else {
        to_others.push_back(std::move(reply));
      }
    }
  }
  simulation->trace.note("effect", number_of(call.session.id), events.size());
  check_wakeups(call, to_others, waits);
}

/// W3, W4: of each lock the same sessions are let through, in the same order and with the same answers.
void TableOracle::check_wakeups(TableCall& call, const Replies& replies,
                                const std::map<SessionId, model::Lock>& waits) {
  std::map<model::Lock, std::vector<std::pair<SessionId, Answer>>> expected;
  std::map<model::Lock, std::vector<std::pair<SessionId, Answer>>> actual;
  for (const model::Reply& reply : replies) expected[{kind_of(reply), reply.key}].emplace_back(reply.to, reply.answer);
  for (; call.woken_checked < call.woken.size(); ++call.woken_checked) {
    const engine::Wakeup& wakeup = call.woken[call.woken_checked];
    actual[waits.at(wakeup.session)].emplace_back(wakeup.session, wakeup.answer);
    granted_[wakeup.session] = wakeup.answer;
    simulation->trace.note("lets through", number_of(wakeup.session), number_of(call.session.id));
  }
  require(expected == actual, "others are let through than the specification says (W4)");
  simulation->count("hand-over", replies.size());
}

/// The refusal for a circle took effect earlier than this, and changed nothing.
void TableOracle::ask(TableCall& call, const std::optional<Answer>& answer) {
  if (answer == Answer{Outcome::lock_get_deadlock}) {
    require(call.closes_circle, "a circle is imagined (W6)");
    simulation->count("circle refused");
    return;
  }
  apply(call, {call.request});
  if (answer && is_token(*answer) && call.expected && is_token(*call.expected)) {
    const LockKind kind = answer->outcome == Outcome::lock_token ? LockKind::exclusive : LockKind::shared;
    const auto broken = tokens_.see({{kind, call.request.key}, call.expected->number, answer->number});
    require(!broken, broken.value_or(""));
    call.expected = answer;
  }
}

void TableOracle::end(TableCall& call, const std::optional<Answer>& answer) {
  calls_.erase(simulation->fibers.running());
  if (call.kind == TableCall::Kind::ask) ask(call, answer);
  const bool is_deadlock = answer == Answer{Outcome::lock_get_deadlock};
  simulation->trace.note("answer", number_of(call.session.id),
                         answer ? static_cast<std::uint64_t>(answer->outcome) : 99, call.request.key);
  require(is_deadlock || answer == call.expected,
          "answered " + written(answer) + " in place of " + written(call.expected) + ", about " + call.request.key);
  check_held(call.session);
  remember(call, answer);
}

void TableOracle::remember(TableCall& call, const std::optional<Answer>& answer) {
  const SessionId id = call.session.id;
  if (call.kind == TableCall::Kind::leave) {
    if (answer) learns(id, *answer);
  } else if (answer) {
    answered_[id].push_back({call.request, *answer});
  } else {
    waiting_[id] = call.request;
  }
}

void TableOracle::learns(SessionId session, const Answer& answer) {
  const auto request = waiting_.extract(session);
  require(!request.empty(), "a wait ends that did not begin");
  answered_[session].push_back({request.mapped(), answer});
}

std::optional<TableOracle::Answered> TableOracle::take_answer(SessionId session) {
  auto& answers = answered_[session];
  if (answers.empty()) return std::nullopt;
  Answered first = answers.front();
  answers.pop_front();
  return first;
}

void TableOracle::end(TableCall& call) {
  calls_.erase(simulation->fibers.running());
  require(call.kind != TableCall::Kind::end || !model_.live.contains(call.session.id),
          "the end of a session did not take its wait back (S2)");
  check_held(call.session);
}

void TableOracle::accepts(const engine::SessionLocks& session) {
  const auto grant = granted_.extract(session.id);
  require(!grant.empty(), "somebody is woken who got nothing (W4)");
  learns(session.id, grant.mapped());
  check_held(session);
}

/// S5: but for a grant of which it does not know yet.
void TableOracle::check_held(const engine::SessionLocks& session) const {
  const bool is_in_flight = session.waits() && !model_.wait_of(session.id);
  require(session.held + (is_in_flight ? 1 : 0) == model_.locks_of(session.id).size(),
          "a session counts its locks wrongly");
}

void TableOracle::saw(const model::Lock& lock, const std::vector<SessionId>& holders) const {
  std::vector<SessionId> expected;
  for (const model::Holder& holder : model_.holders(lock)) expected.push_back(holder.session);
  require(expected == holders, "a look at " + lock.key + " shows others than hold it (L1)");
}

void TableOracle::saw(const model::Lock& lock, const std::vector<engine::Claim>& claims) {
  std::size_t at = 0;
  for (const model::Holder& holder : model_.holders(lock)) {
    require(at < claims.size() && claims[at].session == holder.session && claims[at].token != 0,
            "the holders of " + lock.key + " are others (L5, E2)");
    const auto broken = tokens_.see({lock, holder.token, claims[at++].token});
    require(!broken, broken.value_or(""));
  }
  for (const model::Waiter& waiter : model_.line(lock)) {
    require(at < claims.size() && claims[at].session == waiter.session && claims[at].token == 0,
            "the line of " + lock.key + " is another (W3, E2)");
    ++at;
  }
  require(at == claims.size(), lock.key + " has more claims than it should");
}

void TableOracle::compare(const Claims& claims) {
  for (const auto& [lock, list] : claims) saw(lock, list);
  require(claims.size() == model_.locks.size(), "a lock is missing in the table");
  const auto violations = model_.violations();
  require(violations.empty(), violations.empty() ? "" : violations.front());
}

}  // namespace lockd::simulator
