#include "histories/random_history.h"

#include <algorithm>

namespace lockd::histories {
namespace {

constexpr Moment step = nanoseconds_of_millisecond / 2;

}  // namespace

History RandomHistories::draw() {
  History history{.keys = {"K"}, .operations = {}};
  std::vector<Moment> free_at(3, 0);
  std::vector<Moment> asked_at(3, 0);
  std::vector<bool> over(3, false);
  Moment now = 0;
  token_ = 0;
  for (std::size_t left = below(6) + 2; left > 0; --left) {
    const std::uint32_t session = below(3);
    now += below(3) * step;
    if (over[session]) continue;
    Operation operation = any_operation();
    operation.session = session;
    operation.invoked = std::max(now, asked_at[session]);
    asked_at[session] = operation.invoked;
    free_at[session] = std::max(free_at[session], operation.invoked) + below(5) * step;
    if (below(5) > 0 && free_at[session] < never / 2) {
      operation.answered = free_at[session];
    } else if (!is_end(operation.act)) {
      free_at[session] = never / 2;
    }
    over[session] = is_end(operation.act);
    history.operations.push_back(operation);
  }
  return history;
}

std::uint32_t RandomHistories::below(std::uint32_t limit) {
  return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
}

Operation RandomHistories::any_operation() {
  if (below(8) == 0) return {.act = Act::rst};
  return kind_ == LockKind::exclusive ? any_exclusive() : any_shared();
}

Operation RandomHistories::any_exclusive() {
  using enum Outcome;
  switch (below(7)) {
    case 0:
      return {.act = Act::get, .outcome = one_of(lock_get_success, lock_get_failure)};
    case 1:
    case 2: {
      const std::vector<Outcome> answers{lock_get_success, lock_get_success, lock_get_timeout, lock_get_deadlock};
      return {.act = Act::get_wait, .outcome = answers[below(4)], .milliseconds = below(2)};
    }
    case 3:
    case 4:
      return {.act = Act::release, .outcome = below(4) == 0 ? lock_release_failure : lock_release_success};
    case 5:
      if (below(2) == 0) return {.act = Act::inspect, .outcome = one_of(lock_is_locked, lock_not_locked)};
      return {.act = Act::inspect_line, .outcome = lock_waiters, .number = below(3)};
    default:
      if (below(3) == 0) return {.act = Act::token, .outcome = lock_not_held};
      return {.act = Act::token, .outcome = lock_token, .number = ++token_};
  }
}

Operation RandomHistories::any_shared() {
  using enum Outcome;
  switch (below(6)) {
    case 0:
      return {.act = Act::get_shared, .outcome = shared_get_success, .number = below(3) + 1};
    case 1: {
      Operation get{.act = Act::get_limited, .outcome = one_of(shared_get_success, shared_get_failure)};
      get.limit = below(2) + 1;
      if (get.outcome == shared_get_success) get.number = below(2) + 1;
      return get;
    }
    case 2: {
      Operation get{.act = Act::get_limited_wait, .outcome = one_of(shared_get_success, shared_get_timeout)};
      get.limit = below(2) + 1;
      get.milliseconds = below(2);
      if (get.outcome == shared_get_success) get.number = below(2) + 1;
      return get;
    }
    case 3:
      return {.act = Act::release_shared, .outcome = below(4) == 0 ? shared_release_failure : shared_release_success};
    case 4:
      if (below(2) == 0) return {.act = Act::inspect_shared_line, .outcome = shared_waiters, .number = below(3)};
      if (below(2) == 0) return {.act = Act::inspect_shared, .outcome = shared_not_locked};
      return {.act = Act::inspect_shared, .outcome = shared_is_locked, .number = below(3) + 1};
    default:
      if (below(3) == 0) return {.act = Act::token_shared, .outcome = shared_not_held};
      return {.act = Act::token_shared, .outcome = shared_token, .number = ++token_};
  }
}

}  // namespace lockd::histories
