// What each request does and is answered, beyond the locks themselves.
#include "model/server_model.h"

#include <algorithm>
#include <utility>

#include "model/reference_parser.h"
#include "model/reference_printer.h"

namespace lockd::model {
ReferenceServer::ReferenceServer(ServerOptions options) : options_(std::move(options)) {
  locks_.max_locks = options_.max_locks;
  locks_.max_waiters = options_.max_waiters;
  locks_.max_grants = options_.max_grants;
}

void ReferenceServer::connect(SessionId session, std::string address, std::uint64_t allowed) {
  if (session == SessionId::nobody || is_live(session) || locks_.ended.contains(session)) return;
  happen(session, SessionBegins{session});
  Session& begun = sessions_[session];
  begun.address = std::move(address);
  begun.allowed = allowed;
}

ExpectedOutput ReferenceServer::receive(SessionId session, std::string_view bytes) {
  for (const char byte : bytes) {
    if (is_live(session)) take(session, byte);
  }
  serve_the_woken();
  return take_output(session);
}

ExpectedOutput ReferenceServer::allow(SessionId session, std::uint64_t requests) {
  if (is_live(session)) {
    if (sessions_.at(session).allowed != all) sessions_.at(session).allowed += requests;
    execute_lines(session);
    serve_the_woken();
  }
  return take_output(session);
}

ExpectedOutput ReferenceServer::time_out(SessionId session) {
  if (waits(session)) {
    outputs_[session].append(happen(session, WaitTimesOut{session}));
    execute_lines(session);
    serve_the_woken();
  }
  return take_output(session);
}

ExpectedOutput ReferenceServer::take_output(SessionId session) { return std::exchange(outputs_[session], {}); }

// S3: all that came before has been executed, up to the first that waits.
void ReferenceServer::finish(SessionId session) {
  end(session);
  serve_the_woken();
}

void ReferenceServer::reset(SessionId session) {
  end(session);
  serve_the_woken();
}

void ReferenceServer::shut_down() {
  happen(SessionId::nobody, ServerStops{});
  sessions_.clear();
  names_.clear();
}

// F1: a request exists once its LF has come. W2: what comes to a session that waits is kept, up to a bound; W9: but
// `cancel` acts when it comes, and is answered in its turn.
void ReferenceServer::take(SessionId id, char byte) {
  Session& session = sessions_.at(id);
  session.unterminated += byte;
  if (session.waiting) {
    std::size_t kept = session.unterminated.size();
    for (const Line& line : session.lines) kept += line.bytes.size();
    if (kept > options_.input_bytes_max) {
      ++counters_.too_much_input;
      outputs_[id].append(single({Outcome::too_much_input, options_.input_bytes_max}, {}));
      return end(id);
    }
  }
  if (byte != '\n') return;
  session.lines.push_back({std::exchange(session.unterminated, ""), session.waiting, false});
  if (session.waiting && is_cancel(session.lines.back())) {
    session.lines.back().has_acted = true;
    outputs_[id].append(happen(id, WaitIsCanceled{id}));
  }
  execute_lines(id);
}

// F5: one after the other, in the order of arrival, until one has to wait.
void ReferenceServer::execute_lines(SessionId id) {
  while (is_live(id) && !waits(id) && !sessions_.at(id).lines.empty() && sessions_.at(id).allowed > 0) {
    const Line line = std::move(sessions_.at(id).lines.front());
    sessions_.at(id).lines.pop_front();
    if (const auto request = parse_line(line.bytes, options_.line_bytes_max)) {
      if (sessions_.at(id).allowed != all) --sessions_.at(id).allowed;
      ExpectedOutput output = execute(id, *request, line.has_acted);
      outputs_[id].append(std::move(output));
    }
    if (waits(id)) hear_again(id);
  }
}

// W2, W9: to a wait that begins, what was held up before it comes now.
void ReferenceServer::hear_again(SessionId id) {
  auto& [address, lines, unterminated, waiting, allowed] = sessions_.at(id);
  std::string held_up;
  while (!lines.empty() && !lines.back().came_in_wait) {
    held_up.insert(0, lines.back().bytes);
    lines.pop_back();
  }
  held_up += std::exchange(unterminated, "");
  for (const char byte : held_up) {
    if (is_live(id)) take(id, byte);
  }
}

bool ReferenceServer::has_request(SessionId session) const {
  const auto& lines = sessions_.at(session).lines;
  return std::ranges::any_of(
      lines, [this](const Line& line) { return parse_line(line.bytes, options_.line_bytes_max).has_value(); });
}

bool ReferenceServer::is_cancel(const Line& line) const {
  return parse_line(line.bytes, options_.line_bytes_max) == Request{LineKind::command, Verb::cancel, ""};
}

// W4: who was let through is answered, and what it sent meanwhile is executed.
void ReferenceServer::serve_the_woken() {
  while (!woken_.empty()) {
    const Reply reply = woken_.front();
    woken_.pop_front();
    if (!is_live(reply.to)) continue;
    sessions_.at(reply.to).waiting = false;
    outputs_[reply.to].append(answered(reply));
    execute_lines(reply.to);
  }
}

// S2: its wait and its name, then its locks.
void ReferenceServer::end(SessionId session) {
  forget_name(session);
  happen(session, SessionEnds{session});
  sessions_.erase(session);
}

// In one session's turn: it is answered now, if at all; those whom that lets through have their turn later.
ExpectedOutput ReferenceServer::happen(SessionId session, const Event& event) {
  auto [state, replies] = step(std::move(locks_), event);
  locks_ = std::move(state);
  if (is_live(session)) sessions_.at(session).waiting = locks_.wait_of(session).has_value();
  ExpectedOutput output;
  for (const Reply& reply : replies) {
    if (reply.to == session) {
      output = answered(reply);
    } else {
      woken_.push_back(reply);
    }
  }
  return output;
}

ExpectedOutput ReferenceServer::execute(SessionId session, const Request& request, bool has_acted) {
  switch (request.kind) {
    case LineKind::command:
      return execute_command(session, request, has_acted);
    case LineKind::unknown_verb:  // F8: counted in silence too
      ++counters_.invalid_commands;
      return options_.classic ? ExpectedOutput{} : single({Outcome::unknown_command}, request);
    case LineKind::bad_arguments:  // F9
      ++counters_.bad_arguments;
      return single({Outcome::bad_arguments}, request);
    case LineKind::too_long:  // F6
      ++counters_.lines_too_long;
      return single({Outcome::line_too_long, options_.line_bytes_max}, request);
    case LineKind::browser:  // F11
      ++counters_.browsers;
      end(session);
      return {};
  }
  return {};
}

ExpectedOutput ReferenceServer::execute_command(SessionId session, const Request& request, bool has_acted) {
  ++counters_.commands[request.verb];  // L3: before it is executed, and when disabled too
  if (is_disabled(request.verb)) return single({Outcome::disabled}, request);
  switch (request.verb) {
    case Verb::get:
    case Verb::get_wait:
    case Verb::release:
    case Verb::inspect:
    case Verb::inspect_line:
    case Verb::token:
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
    case Verb::release_shared:
    case Verb::inspect_shared:
    case Verb::inspect_shared_line:
    case Verb::token_shared:
    case Verb::release_all:
      return lock_command(session, request);
    case Verb::cancel:
      return single({has_acted ? Outcome::canceled : Outcome::nothing_to_cancel}, request);
    case Verb::list_locks:
      return list_locks(LockKind::exclusive, request.text);
    case Verb::list_shared:
      return list_locks(LockKind::shared, request.text);
    case Verb::dump:
      return dump(request.text == "shared" ? LockKind::shared : LockKind::exclusive);
    case Verb::list:
      return list(request.text);
    case Verb::counters:
      return counters();
    case Verb::statistics:
      return all_statistics();
    case Verb::me:
      return me(session);
    case Verb::name_me:
      name_me(session, request.text);
      return single({Outcome::named}, request);
    case Verb::who:
      return who(request.text);
    case Verb::ping:
      return single({Outcome::pong}, request);
    case Verb::version:
      return single({Outcome::version}, request);
    case Verb::help:
      return help();
    case Verb::quit:
      end(session);
      return {};
  }
  return {};
}

// No reply yet, if it waits.
ExpectedOutput ReferenceServer::lock_command(SessionId session, const Request& request) {
  auto output = happen(session, SessionAsks{session, request.verb, request.text, request.limit, request.milliseconds});
  if (waits(session)) ++counters_.waits;
  return output;
}

// E3: which counter an answer to a get moves; none where the lock was had.
void ReferenceServer::count(Outcome outcome) {
  switch (outcome) {
    case Outcome::lock_get_failure:
    case Outcome::shared_get_failure:
    case Outcome::too_many_locks:
    case Outcome::too_many_waiters:
    case Outcome::out_of_tokens:
      ++counters_.refusals;
      break;
    case Outcome::lock_get_timeout:
    case Outcome::shared_get_timeout:
      ++counters_.timeouts;
      break;
    case Outcome::lock_get_canceled:
    case Outcome::shared_get_canceled:
      ++counters_.cancels;
      break;
    case Outcome::lock_get_deadlock:
      ++counters_.deadlocks;
      break;
    default:
      break;
  }
}

ExpectedOutput ReferenceServer::answered(const Reply& reply) {
  count(reply.answer.outcome);
  const bool exclusive = reply.answer.outcome == Outcome::lock_token;
  if (!exclusive && reply.answer.outcome != Outcome::shared_token) {
    return single(reply.answer, {LineKind::command, Verb::get, reply.key});
  }
  // T2: the server's own token stands where the model's does.
  const std::string model_token = std::to_string(reply.answer.number);
  const std::string line = print(reply.answer, {LineKind::command, Verb::token, reply.key}, options_.version);
  ExpectedOutput output;
  output.add_token({exclusive ? LockKind::exclusive : LockKind::shared, reply.key}, reply.answer.number,
                   line.substr(model_token.size()));
  return output;
}

// L1: a piece for each key, since one key's lines keep their order.
ExpectedOutput ReferenceServer::list_locks(LockKind kind, const Key& key) const {
  std::vector<std::string> pieces;
  for (const auto& [lock, state] : locks_.locks) {
    if (lock.kind != kind || (!key.empty() && lock.key != key)) continue;
    std::string& lines = pieces.emplace_back();
    for (const Holder& holder : state.holders) lines += lock.key + ": " + name_or_address(holder.session) + "\n";
  }
  ExpectedOutput output;
  if (!pieces.empty()) output.add_any_order(std::move(pieces));
  return output;
}

// L2.
ExpectedOutput ReferenceServer::dump(LockKind kind) const {
  std::vector<std::string> members;
  for (const auto& [lock, state] : locks_.locks) {
    if (lock.kind != kind) continue;
    std::string addresses;
    for (const Holder& holder : state.holders) {
      addresses += (addresses.empty() ? "" : ",") + json_string(sessions_.at(holder.session).address);
    }
    members.push_back(json_string(lock.key) + ":" + (kind == LockKind::shared ? "[" + addresses + "]" : addresses));
  }
  ExpectedOutput output;
  output.add_any_order(std::move(members), "{", ",", "}\n");
  return output;
}

// E2: of each key of either kind the holders, then the line.
ExpectedOutput ReferenceServer::list(const Key& prefix) const {
  std::vector<std::vector<ExpectedOutput::ListLine>> keys;
  for (const auto& [lock, state] : locks_.locks) {
    if (!lock.key.starts_with(prefix)) continue;
    auto& lines = keys.emplace_back();
    for (const auto& [session, token] : state.holders) {
      lines.push_back({lock, false, token, listed_holder(name_or_address(session))});
    }
    for (const Waiter& waiter : state.line) {
      lines.push_back({lock, true, 0, listed_holder(name_or_address(waiter.session))});
    }
  }
  ExpectedOutput output;
  output.add_list(std::move(keys));
  return output;
}

std::uint64_t ReferenceServer::times(Verb verb) const {
  const auto found = counters_.commands.find(verb);
  return found == counters_.commands.end() ? 0 : found->second;
}

// L3.
std::vector<std::pair<std::string, std::uint64_t>> ReferenceServer::classic_counters() const {
  return {{"command_d", times(Verb::list_locks)},
          {"command_dump", times(Verb::dump)},
          {"command_g", times(Verb::get)},
          {"command_i", times(Verb::inspect)},
          {"command_iam", times(Verb::name_me)},
          {"command_me", times(Verb::me)},
          {"command_q", times(Verb::counters)},
          {"command_r", times(Verb::release)},
          {"command_sd", times(Verb::list_shared)},
          {"command_sg", times(Verb::get_shared)},
          {"command_si", times(Verb::inspect_shared)},
          {"command_sr", times(Verb::release_shared)},
          {"command_who", times(Verb::who)},
          {"connections", sessions_.size()},
          {"invalid_commands", counters_.invalid_commands},
          {"locks", locks_.keys_held(LockKind::exclusive)},
          {"orphans", locks_.orphans.at(LockKind::exclusive)},
          {"shared_locks", locks_.keys_held(LockKind::shared)},
          {"shared_orphans", locks_.orphans.at(LockKind::shared)}};
}

// E3: a hold, or a wait, is counted in its histogram when it is over.
std::map<std::string, std::uint64_t> ReferenceServer::statistics() const {
  const auto classic = classic_counters();
  std::map<std::string, std::uint64_t> numbers(classic.begin(), classic.end());
  for (int i = 0; i < verb_count; ++i) {
    const auto verb = static_cast<Verb>(i);
    numbers["command_" + spelling(verb)] = times(verb);
  }
  numbers["bad_arguments"] = counters_.bad_arguments;
  numbers["browsers"] = counters_.browsers;
  numbers["cancels"] = counters_.cancels;
  numbers["deadlocks"] = counters_.deadlocks;
  numbers["lines_too_long"] = counters_.lines_too_long;
  numbers["refusals"] = counters_.refusals;
  numbers["timeouts"] = counters_.timeouts;
  numbers["too_much_input"] = counters_.too_much_input;
  numbers["waits"] = counters_.waits;
  std::uint64_t holders = 0;
  std::uint64_t longest_line = 0;
  for (const auto& [lock, state] : locks_.locks) {
    holders += state.holders.size();
    longest_line = std::max<std::uint64_t>(longest_line, state.line.size());
  }
  numbers["grants"] = locks_.grants;
  numbers["holders"] = holders;
  numbers["waiters"] = locks_.waiters();
  numbers["longest_line"] = longest_line;
  numbers["hold_ms_le_inf"] = locks_.grants - holders;
  numbers["wait_ms_le_inf"] = counters_.waits - locks_.waiters();
  return numbers;
}

ExpectedOutput ReferenceServer::counters() const {
  std::string lines;
  for (const auto& [name, number] : classic_counters()) {
    lines.append(name).append(": ").append(std::to_string(number)).append("\n");
  }
  ExpectedOutput output;
  output.add(std::move(lines));
  return output;
}

// E3: what time makes can be any number, but for 0 where nothing waits, or nothing was counted.
ExpectedOutput ReferenceServer::all_statistics() const {
  std::map<std::string, std::optional<std::uint64_t>> numbers;
  for (const auto& [name, number] : statistics()) numbers[name] = number;
  const auto made_by_time = [&](const std::string& name, const char* of) {
    numbers[name] = numbers.at(of) == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
  };
  made_by_time("oldest_waiter_ms", "waiters");
  for (const char* part : {"le_1", "le_10", "le_100", "le_1000", "le_10000", "le_100000", "le_1000000", "sum"}) {
    made_by_time(std::string("hold_ms_") + part, "hold_ms_le_inf");
    made_by_time(std::string("wait_ms_") + part, "wait_ms_le_inf");
  }
  ExpectedOutput output;
  output.add_counters({numbers.begin(), numbers.end()});
  return output;
}

// R1.
ExpectedOutput ReferenceServer::me(SessionId session) const {
  ExpectedOutput output;
  output.add("1 " + sessions_.at(session).address + " " + name_or_address(session) + "\n");
  return output;
}

// R2: set again, a name moves to the end; empty, it is gone.
void ReferenceServer::name_me(SessionId session, const std::string& name) {
  forget_name(session);
  if (!name.empty()) names_.emplace_back(session, name);
}

// R3.
ExpectedOutput ReferenceServer::who(const std::string& wanted) const {
  ExpectedOutput output;
  for (const auto& [session, name] : names_) {
    if (wanted.empty() || name == wanted) output.add(sessions_.at(session).address + ": " + name + "\n");
  }
  return output;
}

// E4: a line for each verb, which begins with its form (F9) and may say more.
ExpectedOutput ReferenceServer::help() {
  std::vector<std::string> forms;
  for (int verb = 0; verb < verb_count; ++verb) forms.push_back(usage(static_cast<Verb>(verb)));
  ExpectedOutput output;
  output.add_lines(std::move(forms));
  output.add("END\n");
  return output;
}

ExpectedOutput ReferenceServer::single(Answer answer, const Request& request) const {
  ExpectedOutput output;
  output.add(print(answer, request, options_.version));
  return output;
}

// L4.
bool ReferenceServer::is_disabled(Verb verb) const {
  const bool looks = verb == Verb::list_locks || verb == Verb::list_shared || verb == Verb::dump ||
                     verb == Verb::list || verb == Verb::who;
  const bool names = verb == Verb::name_me || verb == Verb::who;
  return (looks && !options_.dump_enabled) || (names && !options_.registry_enabled);
}

void ReferenceServer::forget_name(SessionId session) {
  std::erase_if(names_, [session](const auto& entry) { return entry.first == session; });
}

std::string ReferenceServer::name_or_address(SessionId session) const {
  const auto named = std::ranges::find(names_, session, &std::pair<SessionId, std::string>::first);
  return named == names_.end() ? sessions_.at(session).address : named->second;
}

}  // namespace lockd::model
