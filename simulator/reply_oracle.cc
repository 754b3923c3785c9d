#include "simulator/reply_oracle.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "model/expected_output.h"
#include "model/reference_parser.h"
#include "model/reference_printer.h"

namespace lockd::simulator {
namespace {

using server::Next;

constexpr std::size_t classic_counters = 19;  // L3

bool is_lock_verb(Verb verb) { return verb < Verb::release_all; }

/// What the table is asked for a request: who has no time to wait asks without waiting (W10).
Verb asked_verb(const Request& request) {
  if (request.milliseconds > 0) return request.verb;
  if (request.verb == Verb::get_wait) return Verb::get;
  if (request.verb == Verb::get_limited_wait) return Verb::get_limited;
  return request.verb;
}

Answer told(const Request& request, Answer answer) {
  if (request.verb == Verb::get_wait && answer.outcome == Outcome::lock_get_failure) return {Outcome::lock_get_timeout};
  if (request.verb == Verb::get_limited_wait && answer.outcome == Outcome::shared_get_failure)
    return {Outcome::shared_get_timeout};
  return answer;
}

/// E2: MODE STATE AGE_MS TOKEN HOLDER KEY. Nothing is older than time itself, and who waits has no token.
bool is_claim(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string mode;
  std::string state;
  std::uint64_t age_ms = 0;
  std::uint64_t token = 0;
  std::string holder;
  if (!(words >> mode >> state >> age_ms >> token >> holder)) return false;
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch());
  return (mode == "x" || mode == "s") && age_ms <= static_cast<std::uint64_t>(time.count()) &&
         state == (token == 0 ? "waiting" : "held");
}

bool is_line_of(const Request& request, std::string_view line) {
  switch (request.verb) {
    case Verb::list_locks:
    case Verb::list_shared:
      return line.starts_with(request.text.empty() ? "k" : request.text + ": ") &&
             line.find(": ") != std::string_view::npos;
    case Verb::who:
      return line.starts_with('[') && line.find("]:") != std::string_view::npos && line.ends_with(request.text);
    case Verb::list:
      return is_claim(line);
    case Verb::counters:
    case Verb::statistics:
      return line.find(": ") != std::string_view::npos &&
             line.find_first_not_of("0123456789", line.find(": ") + 2) == std::string_view::npos;
    case Verb::dump:
      return line.starts_with('{') && line.ends_with('}');
    default:
      return true;  // of `help`
  }
}

}  // namespace

bool ReplyOracle::is_done(SessionId session) const {
  const auto found = sessions_.find(session);
  return found != sessions_.end() && found->second.arrived.empty() && found->second.due.empty();
}

void ReplyOracle::arrive(Session& session, std::string_view bytes) const {
  session.unterminated += bytes;
  for (std::size_t end; (end = session.unterminated.find('\n')) != std::string::npos;) {
    const auto requests = model::parse_stream(session.unterminated.substr(0, end + 1), settings_.line_bytes_max);
    session.arrived.insert(session.arrived.end(), requests.begin(), requests.end());
    session.unterminated.erase(0, end + 1);
  }
}

void ReplyOracle::called(const SessionStep& step) {
  Session& session = sessions_.at(step.session);
  arrive(session, step.bytes);
  session.out += step.written;
  require(session.arrived.size() >= step.executed, "more requests are executed than were sent");
  for (std::uint64_t i = 0; i < step.executed; ++i) {
    const Request& request = session.arrived.front();
    if (request.kind == LineKind::command) simulation->count("verb: " + model::spelling(request.verb));
    if (request.kind != LineKind::command) simulation->count("verb: (none)");
    session.due.push_back(request);
    session.arrived.pop_front();
  }
  if (step.call == SessionCall::finish) {
    require(step.before == Next::wait || session.arrived.empty(), "a request before the FIN is not executed (S3)");
    return;
  }
  match(step.session, session, step.next);
  if (step.executed > 0) session.asked = step.began;  // what waits now was the last of them
}

void ReplyOracle::match(SessionId id, Session& session, Next next) {
  while (!session.due.empty()) {
    const Reply reply = match_first(id, session);
    const bool goes_on = session.due.size() == 1 && (next == Next::turn || next == Next::drain);
    if (reply == Reply::begun || (reply == Reply::open && goes_on)) break;
    session.due.pop_front();
  }
  require(session.due.size() <= 1, "a request is executed before the one before it is answered (F5)");
  const std::string too_much = "0 Too Much Input: limit " + std::to_string(settings_.input_bytes_max) + " bytes\n";
  if (next == Next::end && session.out == too_much) {
    simulation->count("too much input");
    session.out.clear();
  }
  const bool is_listing = !session.due.empty() && session.due.front().verb >= Verb::list_locks;
  require(session.out.empty() || is_listing,
          "bytes that answer nothing: " + model::ExpectedOutput::escaped(session.out.substr(0, 100)));
  if (next == Next::read) {
    require(session.due.empty(), "a session reads on without having answered (F10)");
    require(session.arrived.empty(), "a whole request is not executed (F1)");
  }
  if (next == Next::wait) {
    require(!session.due.empty(), "a session waits for nothing");
    const Verb verb = session.due.front().verb;
    require(verb == Verb::get_wait || verb == Verb::get_limited_wait, "a session waits that did not ask to (W1)");
  }
}

ReplyOracle::Reply ReplyOracle::match_first(SessionId id, Session& session) {
  const Request request = session.due.front();
  switch (request.kind) {
    case LineKind::command:
      return match_command(id, session, request);
    case LineKind::unknown_verb:
      return settings_.classic ? Reply::whole : take_print(session, {Outcome::unknown_command}, request);
    case LineKind::bad_arguments:
      return take_print(session, {Outcome::bad_arguments}, request);
    case LineKind::too_long:
      return take_print(session, {Outcome::line_too_long, settings_.line_bytes_max}, request);
    case LineKind::browser:
      return Reply::whole;
  }
  return Reply::whole;
}

ReplyOracle::Reply ReplyOracle::match_command(SessionId id, Session& session, const Request& request) {
  if (is_disabled(request.verb)) return take_print(session, {Outcome::disabled}, request);
  if (is_lock_verb(request.verb)) return match_lock(id, session, request);
  switch (request.verb) {
    case Verb::release_all:
      return match_released(session);
    case Verb::cancel:
      return match_cancel(session, request);
    case Verb::me:
      return take(session,
                  "1 " + session.address + " " + (session.name.empty() ? session.address : session.name) + "\n");
    case Verb::name_me:
      session.name = request.text;
      return take_print(session, {Outcome::named}, request);
    case Verb::ping:
      return take_print(session, {Outcome::pong}, request);
    case Verb::version:
      return take_print(session, {Outcome::version}, request);
    case Verb::quit:
      return Reply::whole;
    default:
      return match_lines(session, request);
  }
}

ReplyOracle::Reply ReplyOracle::match_lock(SessionId id, Session& session, const Request& request) {
  const auto answered = table_.take_answer(id);
  if (!answered) return Reply::begun;
  require(answered->request.verb == asked_verb(request) && answered->request.key == request.text,
          "the table was asked something else than the session");
  const Outcome outcome = answered->answer.outcome;
  if (outcome == Outcome::lock_get_canceled || outcome == Outcome::shared_get_canceled) ++session.cancels;
  if (outcome == Outcome::lock_get_timeout || outcome == Outcome::shared_get_timeout) {
    simulation->count("wait timed out");
    const auto least = std::chrono::milliseconds(request.milliseconds);
    require(simulation->now >= session.asked + least, "a wait times out before its time (W1)");
  }
  return take_print(session, told(request, answered->answer), request);
}

ReplyOracle::Reply ReplyOracle::match_cancel(Session& session, const Request& request) {
  const bool has_acted = session.out.starts_with('1');
  require(!has_acted || session.cancels > 0, "a wait is said to be canceled that was not (W9)");
  if (has_acted) --session.cancels;
  return take_print(session, {has_acted ? Outcome::canceled : Outcome::nothing_to_cancel}, request);
}

/// E1. How many they were the table's oracle knows; here it is the form.
ReplyOracle::Reply ReplyOracle::match_released(Session& session) {
  const auto end = session.out.find('\n');
  if (end == std::string::npos) return Reply::begun;
  const auto digits = std::min(session.out.find_first_not_of("0123456789"), end);
  require(digits > 0 && session.out.substr(digits, end - digits) == " Locks Released", "`ra` is answered otherwise");
  session.out.erase(0, end + 1);
  return Reply::whole;
}

ReplyOracle::Reply ReplyOracle::match_lines(Session& session, const Request& request) {
  const bool has_end = request.verb == Verb::list || request.verb == Verb::statistics || request.verb == Verb::help;
  const bool is_endless =
      request.verb == Verb::list_locks || request.verb == Verb::list_shared || request.verb == Verb::who;
  std::size_t lines = 0;
  for (std::size_t end; (end = session.out.find('\n')) != std::string::npos; ++lines) {
    const std::string line = session.out.substr(0, end);
    const bool is_last = (has_end && line == "END") || request.verb == Verb::dump;
    if (!is_last || request.verb == Verb::dump) {
      const bool is_right = is_line_of(request, line);
      if (!is_right && is_endless) return Reply::open;
      require(is_right, "a line of a listing has another form: " + model::ExpectedOutput::escaped(line));
    }
    session.out.erase(0, end + 1);
    if (is_last || (request.verb == Verb::counters && lines + 1 == classic_counters)) return Reply::whole;
  }
  return is_endless ? Reply::open : Reply::begun;
}

ReplyOracle::Reply ReplyOracle::take(Session& session, const std::string& text) {
  require(session.out.starts_with(text), "expected " + model::ExpectedOutput::escaped(text) + ", actual " +
                                             model::ExpectedOutput::escaped(session.out.substr(0, 100)));
  session.out.erase(0, text.size());
  return Reply::whole;
}

ReplyOracle::Reply ReplyOracle::take_print(Session& session, Answer answer, const Request& request) {
  return take(session, model::print(answer, request, LOCKD_VERSION));
}

bool ReplyOracle::is_disabled(Verb verb) const {
  const bool looks = verb == Verb::list_locks || verb == Verb::list_shared || verb == Verb::dump ||
                     verb == Verb::list || verb == Verb::who;
  const bool names = verb == Verb::name_me || verb == Verb::who;
  return (looks && !settings_.dump) || (names && !settings_.registry);
}

}  // namespace lockd::simulator
