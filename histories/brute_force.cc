#include "histories/brute_force.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "model/lock_model.h"

namespace lockd::histories {
namespace {

Verb verb_of(Act act) {
  switch (act) {
    case Act::get:
      return Verb::get;
    case Act::get_wait:
      return Verb::get_wait;
    case Act::release:
      return Verb::release;
    case Act::inspect:
      return Verb::inspect;
    case Act::inspect_line:
      return Verb::inspect_line;
    case Act::token:
      return Verb::token;
    case Act::get_shared:
      return Verb::get_shared;
    case Act::get_limited:
      return Verb::get_limited;
    case Act::get_limited_wait:
      return Verb::get_limited_wait;
    case Act::release_shared:
      return Verb::release_shared;
    case Act::inspect_shared:
      return Verb::inspect_shared;
    case Act::inspect_shared_line:
      return Verb::inspect_shared_line;
    case Act::token_shared:
      return Verb::token_shared;
    default:
      break;
  }
  LOCKD_CHECK(false, "only requests for one lock are tried out");
}

struct Client {
  std::vector<Operation> operations;
  std::size_t next = 0;
  bool waits = false;  // operations[next] is in line
  Moment since = 0;    // and this is when it came
  bool ended = false;
};

// One order, as far as it has come.
struct State {
  model::LockModel model;
  std::vector<Client> clients;
  std::map<std::uint64_t, std::uint64_t> tokens;  // the model's (1, 2, 3, ...), and those that the history tells
  Moment now = 0;
  WaitTime wait_time;
};

SessionId id_of(std::size_t client) { return SessionId{client + 1}; }

bool fits_token(State& state, std::uint64_t models, std::uint64_t told) {
  const auto [at, is_new] = state.tokens.try_emplace(models, told);
  if (!is_new) return at->second == told;
  const bool grows_before = at == state.tokens.begin() || std::prev(at)->second < told;
  const bool grows_behind = std::next(at) == state.tokens.end() || told < std::next(at)->second;
  return grows_before && grows_behind;
}

bool fits(State& state, const Operation& operation, const Answer& answer) {
  if (!operation.is_answered()) return true;
  if (operation.outcome != answer.outcome) return false;
  if (answer.outcome == Outcome::lock_token || answer.outcome == Outcome::shared_token)
    return fits_token(state, answer.number, operation.number);
  return operation.number == answer.number;
}

// Lets the model take an event; each who is answered by it must have been answered so, and in time.
bool step(State& state, const model::Event& event) {
  model::Step after = model::step(std::move(state.model), event);
  state.model = std::move(after.state);
  for (const model::Reply& reply : after.replies) {
    Client& client = state.clients[static_cast<std::size_t>(reply.to) - 1];
    const Operation& operation = client.operations[client.next];
    if (!fits(state, operation, reply.answer) || state.now > operation.answered) return false;
    client.waits = false;
    ++client.next;
  }
  return true;
}

bool can_end(const State& state);

bool moves_on(State state, const model::Event& event, Moment earliest, Moment latest) {
  state.now = std::max(state.now, earliest);
  return state.now <= latest && step(state, event) && can_end(state);
}

Moment time_of(const Operation& wait) { return wait.milliseconds * nanoseconds_of_millisecond; }

bool has_timed_out(const Operation& operation) {
  return operation.is_answered() && may_wait(operation) &&
         (operation.outcome == Outcome::lock_get_timeout || operation.outcome == Outcome::shared_get_timeout);
}

// The client's wait ends by itself: by its time, by its cancel, or, unanswered, somehow.
bool can_leave(const State& state, std::size_t number) {
  const Client& client = state.clients[number];
  const Operation& wait = client.operations[client.next];
  if (!wait.is_answered()) {
    State silent = state;
    return moves_on(std::move(silent), model::WaitTimesOut{id_of(number)}, wait.invoked, never);
  }
  if (has_timed_out(wait)) {
    const Moment since = state.wait_time == WaitTime::exact ? client.since : wait.invoked;
    return moves_on(state, model::WaitTimesOut{id_of(number)}, since + time_of(wait), wait.answered);
  }
  return moves_on(state, model::WaitIsCanceled{id_of(number)}, wait.invoked, wait.answered);
}

bool can_ask(const State& state, std::size_t number) {
  const Client& client = state.clients[number];
  const Operation& operation = client.operations[client.next];
  const Moment latest = has_timed_out(operation) ? operation.answered - time_of(operation) : operation.answered;
  State asked = state;
  asked.now = std::max(state.now, operation.invoked);
  if (asked.now > latest) return false;
  asked.clients[number].waits = true;  // unless it is answered at once
  asked.clients[number].since = asked.now;
  // W6 takes two locks: here a refusal is what it is in the search, a get that fails.
  if (operation.is_answered() && operation.outcome == Outcome::lock_get_deadlock) {
    const model::Lock lock{LockKind::exclusive, "K"};
    const bool is_refused =
        operation.milliseconds > 0 && !asked.model.holders(lock).empty() && asked.model.holder("K") != id_of(number);
    asked.clients[number].waits = false;
    ++asked.clients[number].next;
    return is_refused && can_end(asked);
  }
  const model::SessionAsks request{id_of(number), verb_of(operation.act), "K", operation.limit, operation.milliseconds};
  return step(asked, request) && can_end(asked);
}

// The end drops what is unanswered before it.
bool can_be_over(State state, std::size_t number) {
  Client& client = state.clients[number];
  const Operation& end = client.operations.back();
  if (client.operations[client.next].is_answered() && client.next + 1 != client.operations.size()) return false;
  client.next = client.operations.size();
  client.ended = true;
  client.waits = false;
  return moves_on(std::move(state), model::SessionEnds{id_of(number)}, end.invoked, end.answered);
}

bool is_done(const Client& client) {
  return std::all_of(client.operations.begin() + static_cast<std::ptrdiff_t>(client.next), client.operations.end(),
                     [](const Operation& operation) { return !operation.is_answered(); });
}

bool can_end(const State& state) {
  if (std::ranges::all_of(state.clients, is_done)) return true;
  for (std::size_t number = 0; number < state.clients.size(); ++number) {
    const Client& client = state.clients[number];
    if (client.ended || client.next == client.operations.size()) continue;
    if (is_end(client.operations.back().act) && can_be_over(state, number)) return true;
    if (is_end(client.operations[client.next].act)) continue;
    if (client.waits ? can_leave(state, number) : can_ask(state, number)) return true;
  }
  return false;
}

}  // namespace

bool is_legal_by_brute_force(const History& history, WaitTime wait_time) {
  State state{.model = {}, .clients = {}, .tokens = {}, .wait_time = wait_time};
  std::map<std::uint32_t, std::size_t> numbers;
  for (const Operation& operation : history.operations) {
    const auto [at, is_new] = numbers.try_emplace(operation.session, state.clients.size());
    if (is_new) {
      state.clients.emplace_back();
      state.model = model::step(std::move(state.model), model::SessionBegins{id_of(at->second)}).state;
    }
    const bool has = operation.act == Act::has || operation.act == Act::has_shared;
    if (!has) {
      state.clients[at->second].operations.push_back(operation);
      continue;
    }
    const Verb verb = operation.act == Act::has ? Verb::get : Verb::get_shared;
    state.model = model::step(std::move(state.model), model::SessionAsks{id_of(at->second), verb, "K"}).state;
  }
  return can_end(state);
}

}  // namespace lockd::histories
