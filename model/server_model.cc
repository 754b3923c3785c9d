// What each request does and is answered, beyond the locks themselves.
#include "model/server_model.h"

#include <algorithm>
#include <utility>

#include "model/reference_parser.h"
#include "model/reference_printer.h"

namespace lockd::model {

ReferenceServer::ReferenceServer(ServerOptions options) : options_(std::move(options)) {
  locks_.max_locks = options_.max_locks;
  requests_["invalid_commands"] = 0;
  for (const char* classic : {"d", "dump", "g", "i", "iam", "me", "q", "r", "sd", "sg", "si", "sr", "who"}) {
    requests_[std::string("command_") + classic] = 0;
  }
}

void ReferenceServer::connect(SessionId session, std::string address) {
  if (session == SessionId::nobody || is_live(session) || locks_.ended.contains(session)) return;
  locks_ = step(std::move(locks_), SessionBegins{session}).state;
  sessions_[session] = {std::move(address), ""};
}

// F1: what has come since the last LF waits for the next. F5: one after the other, in the order of arrival.
ExpectedOutput ReferenceServer::receive(SessionId session, std::string_view bytes) {
  ExpectedOutput output;
  if (!is_live(session)) return output;
  std::string& unterminated = sessions_.at(session).unterminated;
  const auto end = bytes.rfind('\n') + 1;  // 0 if there is none
  const std::string lines = end == 0 ? "" : std::exchange(unterminated, "") + std::string(bytes.substr(0, end));
  unterminated += bytes.substr(end);
  for (const Request& request : parse_stream(lines, options_.line_bytes_max)) {
    if (is_live(session)) output.append(execute(session, request));
  }
  return output;
}

void ReferenceServer::finish(SessionId session) { end(session); }

void ReferenceServer::reset(SessionId session) { end(session); }

// S2: name, then locks.
void ReferenceServer::end(SessionId session) {
  forget_name(session);
  locks_ = step(std::move(locks_), SessionEnds{session}).state;
  sessions_.erase(session);
}

ExpectedOutput ReferenceServer::execute(SessionId session, const Request& request) {
  switch (request.kind) {
    case LineKind::command:
      return execute_command(session, request);
    case LineKind::unknown_verb:  // F8: counted in silence too
      ++requests_["invalid_commands"];
      return options_.classic ? ExpectedOutput{} : single(Outcome::unknown_command, request);
    case LineKind::bad_arguments:  // F9
      ++bad_arguments_;
      return single(Outcome::bad_arguments, request);
    case LineKind::too_long:  // F6
      ++lines_too_long_;
      return single(Outcome::line_too_long, request, options_.line_bytes_max);
    case LineKind::browser:  // F11
      end(session);
      return {};
  }
  return {};
}

ExpectedOutput ReferenceServer::execute_command(SessionId session, const Request& request) {
  const auto count = requests_.find("command_" + spelling(request.verb));
  if (count != requests_.end()) ++count->second;  // L3: before it is executed, and when disabled too
  if (is_disabled(request.verb)) return single(Outcome::disabled, request);
  switch (request.verb) {
    case Verb::get:
    case Verb::release:
    case Verb::inspect:
    case Verb::get_shared:
    case Verb::release_shared:
    case Verb::inspect_shared:
      return lock_command(session, request);
    case Verb::list_locks:
      return list_locks(LockKind::exclusive, request.text);
    case Verb::list_shared:
      return list_locks(LockKind::shared, request.text);
    case Verb::dump:
      return dump(request.text == "shared" ? LockKind::shared : LockKind::exclusive);
    case Verb::counters:
      return counters();
    case Verb::me:
      return me(session);
    case Verb::name_me:
      name_me(session, request.text);
      return single(Outcome::named, request);
    case Verb::who:
      return who(request.text);
    case Verb::ping:
      return single(Outcome::pong, request);
    case Verb::version:
      return single(Outcome::version, request);
    case Verb::help:
      return help();
    case Verb::quit:
      end(session);
      return {};
  }
  return {};
}

ExpectedOutput ReferenceServer::lock_command(SessionId session, const Request& request) {
  auto [state, replies] = step(std::move(locks_), SessionAsks{session, request.verb, request.text});
  locks_ = std::move(state);
  return single(replies.at(0).answer.outcome, request, replies.at(0).answer.number);
}

// L1: a piece for each key, since one key's lines keep their order.
ExpectedOutput ReferenceServer::list_locks(LockKind kind, const Key& key) const {
  std::vector<std::string> pieces;
  for (const auto& [lock, holders] : locks_.held) {
    if (lock.kind != kind || (!key.empty() && lock.key != key)) continue;
    std::string& lines = pieces.emplace_back();
    for (const SessionId holder : holders) lines += lock.key + ": " + name_or_address(holder) + "\n";
  }
  ExpectedOutput output;
  if (!pieces.empty()) output.add_any_order(std::move(pieces));
  return output;
}

// L2.
ExpectedOutput ReferenceServer::dump(LockKind kind) const {
  std::vector<std::string> members;
  for (const auto& [lock, holders] : locks_.held) {
    if (lock.kind != kind) continue;
    std::string addresses;
    for (const SessionId holder : holders) {
      addresses += (addresses.empty() ? "" : ",") + json_string(sessions_.at(holder).address);
    }
    members.push_back(json_string(lock.key) + ":" + (kind == LockKind::shared ? "[" + addresses + "]" : addresses));
  }
  ExpectedOutput output;
  output.add_any_order(std::move(members), "{", ",", "}\n");
  return output;
}

// L3: the map is in the order of names.
std::map<std::string, std::uint64_t> ReferenceServer::statistics() const {
  auto numbers = requests_;
  numbers["connections"] = sessions_.size();
  numbers["locks"] = locks_.keys_held(LockKind::exclusive);
  numbers["shared_locks"] = locks_.keys_held(LockKind::shared);
  numbers["orphans"] = locks_.orphans.at(LockKind::exclusive);
  numbers["shared_orphans"] = locks_.orphans.at(LockKind::shared);
  return numbers;
}

ExpectedOutput ReferenceServer::counters() const {
  ExpectedOutput output;
  for (const auto& [name, number] : statistics()) output.add(name + ": " + std::to_string(number) + "\n");
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

ExpectedOutput ReferenceServer::single(Outcome outcome, const Request& request, std::uint64_t number) const {
  ExpectedOutput output;
  output.add(print({outcome, number}, request, options_.version));
  return output;
}

// L4.
bool ReferenceServer::is_disabled(Verb verb) const {
  const bool looks = verb == Verb::list_locks || verb == Verb::list_shared || verb == Verb::dump || verb == Verb::who;
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
