#include "simulator/reference_oracle.h"

#include <utility>

namespace lockd::simulator {

using server::Next;

bool ReferenceOracle::is_in_flight(SessionId session) const {
  const auto found = next_.find(session);
  return found != next_.end() && found->second == Next::wait && model_.is_live(session) && !model_.waits(session);
}

/// The model's answer to a wake-up lies ready since the hand-over, and comes with allow().
model::ExpectedOutput ReferenceOracle::follow(const SessionStep& step, bool was_in_flight) {
  const SessionId id = step.session;
  if (was_in_flight && step.call != SessionCall::wake) {
    held_back_[id] += step.bytes;
    return {};
  }
  model::ExpectedOutput expected = model_.allow(id, step.executed);
  if (step.call == SessionCall::receive) expected.append(model_.receive(id, step.bytes));
  if (step.call == SessionCall::time_out) expected.append(model_.time_out(id));
  if (step.call == SessionCall::wake) {
    const auto kept = held_back_.extract(id);
    if (!kept.empty()) expected.append(model_.receive(id, kept.mapped()));
  }
  return expected;
}

void ReferenceOracle::called(const SessionStep& step) {
  const SessionId id = step.session;
  const bool was_in_flight = is_in_flight(id);
  next_[id] = step.next;
  if (step.call == SessionCall::finish) return;
  const model::ExpectedOutput expected = follow(step, was_in_flight);
  const auto mismatch = expected.mismatch(step.written);
  require(!mismatch, mismatch.value_or(""));
  const auto broken = tokens_.see(expected.tokens(step.written));
  require(!broken, broken.value_or(""));
  require(model_.is_live(id) == (step.next != Next::end), "the model or the server has ended the session");
  require(model_.waits(id) == (step.next == Next::wait) || is_in_flight(id), "the model or the server waits");
  simulation->count("replies compared with the reference server");
}

void ReferenceOracle::ends(SessionId session) {
  model_.reset(session);
  next_.erase(session);
  held_back_.erase(session);
}

}  // namespace lockd::simulator
