#include "server/session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/check.h"
#include "server/session_commands.h"

namespace lockd::server {

namespace {

/// A turn writes no more replies than this and what it has begun, as it reads no more requests: a few bytes of request
/// can have a long answer.
constexpr std::size_t turn_output_bytes = 64 * 1024;

/// A turn looks for circles no further than this and what it has begun: each request may walk along a chain as long as
/// there are sessions (W6), and thousands of requests fit into a read. Some 50 us.
constexpr std::uint64_t turn_edges_walked = 1024;

/// X1, H1, W1, C1, C2: of a line whose key is hashed already.
engine::Get get_of(const ParsedLine& line) {
  switch (line.verb) {
    case Verb::get_shared:
      return {.kind = LockKind::shared, .limit = engine::no_limit, .heeds_line = false};
    case Verb::get_limited:
      return {.kind = LockKind::shared, .limit = line.limit};
    case Verb::get_limited_wait:
      return {.kind = LockKind::shared, .limit = line.limit, .waits = line.milliseconds > 0};
    default:
      return {.waits = line.milliseconds > 0};
  }
}

/// W1, C2: who was ready to wait is told that his time is up, be it 0.
Answer answer_to(Verb verb, Answer answer) {
  if (verb == Verb::get_wait && answer.outcome == Outcome::lock_get_failure) return {Outcome::lock_get_timeout};
  if (verb == Verb::get_limited_wait && answer.outcome == Outcome::shared_get_failure)
    return {Outcome::shared_get_timeout};
  return answer;
}

/// Why an answer to a get brings no lock; nothing where it does.
std::optional<Failure> failure_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::lock_get_failure:
    case Outcome::shared_get_failure:
      return Failure::busy;
    case Outcome::lock_get_timeout:
    case Outcome::shared_get_timeout:
      return Failure::timeout;
    case Outcome::lock_get_canceled:
    case Outcome::shared_get_canceled:
      return Failure::canceled;
    case Outcome::lock_get_deadlock:
      return Failure::deadlock;
    case Outcome::too_many_locks:
      return Failure::too_many_locks;
    case Outcome::too_many_waiters:
      return Failure::too_many_waiters;
    case Outcome::out_of_tokens:
      return Failure::out_of_tokens;
    default:
      return std::nullopt;
  }
}

/// E3: an answer to a get. Those that come without the lock are counted here, the others by the lock table.
void count(LockKind kind, Outcome outcome, Statistics& statistics) {
  if (outcome == Outcome::lock_get_success || outcome == Outcome::shared_get_success) return;  // as most
  if (const auto why = failure_of(outcome))
    statistics.failed_gets[static_cast<std::size_t>(kind)][static_cast<std::size_t>(*why)].count();
}

/// Of a wait that has ended.
LockKind kind_of_wait(Outcome outcome) {
  const bool shared = outcome == Outcome::shared_get_timeout || outcome == Outcome::shared_get_canceled;
  return shared ? LockKind::shared : LockKind::exclusive;
}

/// For a thread that frames replies. A request that ends the session has none.
template <class Mutex>
[[gnu::always_inline]] inline void mark_end_of_reply(const Services<Mutex>& services, const std::string& out) {
  if (services.turn.reply_ends != nullptr) services.turn.reply_ends->push_back(out.size());
}

}  // namespace

template <class Mutex>
Session<Mutex>::Session(SessionId id, std::string address, const Services<Mutex>& services, std::uint32_t home)
    : parser_(services.settings.line_bytes_max), locks_(id, home) {
  services.registry.add(id, std::move(address));
}

template <class Mutex>
Next Session<Mutex>::receive(std::string_view bytes, const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::read || next_ == Next::wait, "a session reads when it asks to");
  const TurnEnd turn = turn_end(services, out);
  if (input_.empty() && next_ == Next::read) {  // the common case: executed where they lie
    const std::size_t executed = execute_all(bytes, turn, services, out);
    if (executed < bytes.size()) keep(bytes.substr(executed), services);
    if (next_ != Next::wait) return next_;
  } else {
    input_.append(bytes);
  }
  return resume(turn, services, out);
}

template <class Mutex>
Next Session<Mutex>::go_on(const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::turn || next_ == Next::drain, "a session goes on when it asks to");
  const TurnEnd turn = turn_end(services, out);
  const bool is_in_reply = listing_ || releasing_;
  if (listing_ && listing_->go_on(services, out)) listing_.reset();
  if (releasing_) release_all(services, out);
  if (is_in_reply && !listing_ && !releasing_) mark_end_of_reply(services, out);
  return resume(turn, services, out);
}

template <class Mutex>
Next Session<Mutex>::wake(Answer answer, const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::wait, "only who waits is woken");
  services.table.accept_grant(locks_);
  answer_wait(answer, services, out);
  return resume(turn_end(services, out), services, out);
}

template <class Mutex>
Next Session<Mutex>::time_out(const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::wait, "only a wait has a deadline");
  const engine::Moment now = services.turn.now;
  engine::Wakeups& woken = services.turn.woken;
  const auto answer = services.table.leave_line(locks_, engine::Leave::timeout, now, woken);
  if (!answer) return next_;
  answer_wait(*answer, services, out);
  return resume(turn_end(services, out), services, out);
}

template <class Mutex>
Next Session<Mutex>::finish() {
  LOCKD_CHECK(next_ == Next::read || next_ == Next::wait, "the end of the input is read like the input");
  return next_ = Next::end;
}

template <class Mutex>
bool Session<Mutex>::end_some(const Services<Mutex>& services, std::size_t budget) {
  if (life_ == Life::ended) return true;
  if (life_ == Life::open) {
    life_ = Life::ending;
    next_ = Next::end;
    services.registry.name(id(), "");
  }
  const engine::Moment now = services.turn.now;
  engine::Wakeups& woken = services.turn.woken;
  if (!services.table.end_some(locks_, budget, now, woken)) return false;
  services.registry.remove(id());
  life_ = Life::ended;
  return true;
}

template <class Mutex>
engine::Moment Session<Mutex>::deadline() const {
  LOCKD_CHECK(wait_, "only a wait has a deadline");
  return wait_->deadline;
}

/// Of a read, what comes behind what was executed. Until the next turn that is in memory of the thread; what has to
/// stay longer may be little, and has memory of its own.
template <class Mutex>
void Session<Mutex>::keep(std::string_view rest, const Services<Mutex>& services) {
  if (next_ == Next::turn) services.turn.spare_input.lend(input_);
  input_.assign(rest);
}

/// Of one that begins now.
template <class Mutex>
typename Session<Mutex>::TurnEnd Session<Mutex>::turn_end(const Services<Mutex>& services,
                                                          const std::string& out) const {
  return {.output_bytes = std::min(out.size() + turn_output_bytes, services.settings.output_bytes_max),
          .edges_walked = locks_.edges_walked + turn_edges_walked};
}

/// Executes what input_ holds, if the session does not wait, and keeps the rest.
template <class Mutex>
Next Session<Mutex>::resume(const TurnEnd& turn, const Services<Mutex>& services, std::string& out) {
  std::size_t done = 0;
  std::string_view kept = input_;
  while (next_ != Next::wait || goes_on_after_cancel(kept, services, out)) {
    const std::size_t executed = execute_all(kept, turn, services, out);
    if (scout_) scout_->executed(executed);
    kept.remove_prefix(executed);
    done += executed;
    if (next_ != Next::wait) break;
  }
  input_.erase(0, done);
  if (input_.empty()) {
    services.turn.spare_input.take_back(input_);
    scout_.reset();
  } else if (next_ != Next::turn) {
    services.turn.spare_input.take_back_around(input_);  // the rest of its line, or the end of its wait, may come late
  }
  return next_;
}

/// W2, W9, of a session that waits: looks through what it keeps. A `cancel` ends the wait at once, unless the wait had
/// ended before it came, and what was kept before it is to be executed: then true. Too much input ends the session.
template <class Mutex>
bool Session<Mutex>::goes_on_after_cancel(std::string_view kept, const Services<Mutex>& services, std::string& out) {
  if (kept.empty()) return false;
  if (!scout_) scout_.emplace(services.settings.line_bytes_max);
  const std::size_t kept_max = services.settings.input_bytes_max;
  while (scout_->find_cancel(kept.substr(0, kept_max))) {
    const engine::Moment now = services.turn.now;
    engine::Wakeups& woken = services.turn.woken;
    const auto answer = services.table.leave_line(locks_, engine::Leave::cancel, now, woken);
    if (!answer) continue;
    scout_->mark_found();
    answer_wait(*answer, services, out);
    return true;
  }
  if (kept.size() > kept_max) {
    services.statistics.inputs_too_much.count();
    print(out, {Outcome::too_much_input, kept_max}, {});
    next_ = Next::end;
  }
  return false;
}

/// Executes requests until there is no whole one left, or something comes between. Returns how many bytes are done
/// with, and sets next_. What was read ahead and is not executed is read again.
template <class Mutex>
std::size_t Session<Mutex>::execute_all(std::string_view input, const TurnEnd& turn, const Services<Mutex>& services,
                                        std::string& out) {
  std::size_t consumed = 0;
  next_ = listing_ || releasing_ ? Next::turn : Next::read;
  bool goes_on = may_go_on(turn, services, out);
  while (goes_on && consumed < input.size()) {
    std::size_t read = consumed;
    const auto requests = read_ahead(parser_, input, read, services.table, services.turn.pending);
    if (requests.empty()) return read;
    for (const PendingRequest& request : requests) {
      consumed = request.end;
      execute(request, services, out);
      if (next_ == Next::read) mark_end_of_reply(services, out);
      goes_on = may_go_on(turn, services, out);
      if (!goes_on) break;
    }
    parser_.forget_folded();
  }
  return consumed;
}

/// Whether another request may be executed in this turn; if not, next_ says why.
template <class Mutex>
bool Session<Mutex>::may_go_on(const TurnEnd& turn, const Services<Mutex>& services, const std::string& out) {
  const bool is_over = out.size() >= turn.output_bytes || locks_.edges_walked >= turn.edges_walked;
  if (next_ == Next::read && !is_over) return true;
  if (next_ == Next::read) next_ = Next::turn;
  if (next_ == Next::turn && out.size() >= services.settings.output_bytes_max) next_ = Next::drain;
  return false;
}

/// An answer about a lock is owed as long as the session is open, and it is: nothing is executed after its end.
template <class Mutex>
void Session<Mutex>::execute(const PendingRequest& request, const Services<Mutex>& services, std::string& out) {
  const auto& [line, key, line_end] = request;
  if (line.kind != LineKind::command) return answer_mistake(line, services, out);
  services.statistics.commands[static_cast<std::size_t>(line.verb)].count();
  auto& table = services.table;
  const engine::Moment now = services.turn.now;
  engine::Wakeups& woken = services.turn.woken;
  switch (line.verb) {
    case Verb::get:
    case Verb::get_wait:
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
      return get(request, services, out);
    case Verb::release:
      return print(out, table.release(locks_, LockKind::exclusive, key, now, woken).value(), line.text);
    case Verb::release_shared:
      return print(out, table.release(locks_, LockKind::shared, key, now, woken).value(), line.text);
    case Verb::inspect:
      return print(out, table.inspect(locks_, LockKind::exclusive, key).value(), line.text);
    case Verb::inspect_shared:
      return print(out, table.inspect(locks_, LockKind::shared, key).value(), line.text);
    case Verb::inspect_line:
      return print(out, table.inspect_line(locks_, LockKind::exclusive, key).value(), line.text);
    case Verb::inspect_shared_line:
      return print(out, table.inspect_line(locks_, LockKind::shared, key).value(), line.text);
    case Verb::token:
      return print(out, table.token(locks_, LockKind::exclusive, key).value(), line.text);
    case Verb::token_shared:
      return print(out, table.token(locks_, LockKind::shared, key).value(), line.text);
    default:
      return execute_other(request, services, out);
  }
}

/// X1, H1, C1; W1, C2: where it has to wait there is no reply yet.
template <class Mutex>
void Session<Mutex>::get(const PendingRequest& request, const Services<Mutex>& services, std::string& out) {
  const ParsedLine& line = request.line;
  const engine::Moment now = services.turn.now;
  const engine::Get asked = get_of(line);
  const auto answered = services.table.get(locks_, asked, request.key, now);
  if (answered) {
    const Answer answer = answer_to(line.verb, *answered);
    count(asked.kind, answer.outcome, services.statistics);
    return print(out, answer, line.text);
  }
  // `now` is cut to whole milliseconds, and a wait does not end before its time.
  wait_ = services.turn.spare_waits.take(line.text, now + line.milliseconds + 1);
  services.turn.wait_begun = true;
  next_ = Next::wait;
}

/// The wait is over.
template <class Mutex>
void Session<Mutex>::answer_wait(const Answer& answer, const Services<Mutex>& services, std::string& out) {
  count(kind_of_wait(answer.outcome), answer.outcome, services.statistics);
  print(out, answer, wait_->key);
  mark_end_of_reply(services, out);
  services.turn.spare_waits.give_back(std::move(wait_));
  next_ = Next::read;
}

template class Session<engine::NullMutex>;
template class Session<std::mutex>;

}  // namespace lockd::server
