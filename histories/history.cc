#include "histories/history.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <istream>
#include <map>
#include <ostream>
#include <sstream>
#include <stdexcept>

namespace lockd::histories {
namespace {

struct ReplyText {
  Outcome outcome;
  bool is_counted;  // whether a number stands before the text
  std::string_view text;
};

// Its own table, as the model has its own: what the server prints wrong must not be read as right.
constexpr std::array reply_texts{
    ReplyText{Outcome::lock_get_success, false, "1 Lock Get Success: "},
    ReplyText{Outcome::lock_get_failure, false, "0 Lock Get Failure: "},
    ReplyText{Outcome::lock_get_timeout, false, "0 Lock Get Timeout: "},
    ReplyText{Outcome::lock_get_deadlock, false, "0 Lock Get Deadlock: "},
    ReplyText{Outcome::lock_get_canceled, false, "0 Lock Get Canceled: "},
    ReplyText{Outcome::lock_release_success, false, "1 Lock Release Success: "},
    ReplyText{Outcome::lock_release_failure, false, "0 Lock Release Failure: "},
    ReplyText{Outcome::lock_is_locked, false, "1 Lock Is Locked: "},
    ReplyText{Outcome::lock_not_locked, false, "0 Lock Not Locked: "},
    ReplyText{Outcome::lock_waiters, true, " Lock Waiters: "},
    ReplyText{Outcome::lock_not_held, false, "0 Lock Not Held: "},
    ReplyText{Outcome::lock_token, true, " Lock Token: "},
    ReplyText{Outcome::shared_get_success, true, " Shared Lock Get Success: "},
    ReplyText{Outcome::shared_get_failure, false, "0 Shared Lock Get Failure: "},
    ReplyText{Outcome::shared_get_timeout, false, "0 Shared Lock Get Timeout: "},
    ReplyText{Outcome::shared_get_canceled, false, "0 Shared Lock Get Canceled: "},
    ReplyText{Outcome::shared_release_success, false, "1 Shared Lock Release Success: "},
    ReplyText{Outcome::shared_release_failure, false, "0 Shared Lock Release Failure: "},
    ReplyText{Outcome::shared_is_locked, true, " Shared Lock Is Locked: "},
    ReplyText{Outcome::shared_not_locked, false, "0 Shared Lock Not Locked: "},
    ReplyText{Outcome::shared_waiters, true, " Shared Lock Waiters: "},
    ReplyText{Outcome::shared_not_held, false, "0 Shared Lock Not Held: "},
    ReplyText{Outcome::shared_token, true, " Shared Lock Token: "},
    ReplyText{Outcome::locks_released, true, " Locks Released"},
    ReplyText{Outcome::canceled, false, "1 Canceled"},
    ReplyText{Outcome::nothing_to_cancel, false, "0 Nothing To Cancel"},
};

struct ActText {
  Act act;
  std::string_view word;
  bool limit, milliseconds, key;
  std::array<Outcome, 4> outcomes;  // that it can be answered; the first may stand there several times
};

constexpr std::array<Outcome, 4> all_of(Outcome first) { return {first, first, first, first}; }
constexpr std::array<Outcome, 4> all_of(Outcome first, Outcome second) { return {first, second, first, first}; }

using enum Outcome;
constexpr std::array<ActText, act_count> act_texts{{
    {Act::get, "g", false, false, true, all_of(lock_get_success, lock_get_failure)},
    {Act::get_wait,
     "gw",
     false,
     true,
     true,
     {lock_get_success, lock_get_timeout, lock_get_deadlock, lock_get_canceled}},
    {Act::release, "r", false, false, true, all_of(lock_release_success, lock_release_failure)},
    {Act::inspect, "i", false, false, true, all_of(lock_is_locked, lock_not_locked)},
    {Act::inspect_line, "iw", false, false, true, all_of(lock_waiters)},
    {Act::token, "t", false, false, true, all_of(lock_token, lock_not_held)},
    {Act::get_shared, "sg", false, false, true, all_of(shared_get_success)},
    {Act::get_limited, "sgl", true, false, true, all_of(shared_get_success, shared_get_failure)},
    {Act::get_limited_wait,
     "sgw",
     true,
     true,
     true,
     {shared_get_success, shared_get_timeout, shared_get_canceled, shared_get_success}},
    {Act::release_shared, "sr", false, false, true, all_of(shared_release_success, shared_release_failure)},
    {Act::inspect_shared, "si", false, false, true, all_of(shared_is_locked, shared_not_locked)},
    {Act::inspect_shared_line, "siw", false, false, true, all_of(shared_waiters)},
    {Act::token_shared, "st", false, false, true, all_of(shared_token, shared_not_held)},
    {Act::release_all, "ra", false, false, false, all_of(locks_released)},
    {Act::cancel, "cancel", false, false, false, all_of(canceled, nothing_to_cancel)},
    {Act::has, "has", false, false, true, {}},
    {Act::has_shared, "shas", false, false, true, {}},
    {Act::quit, "quit", false, false, false, {}},
    {Act::fin, "fin", false, false, false, {}},
    {Act::rst, "rst", false, false, false, {}},
    {Act::close, "close", false, false, false, {}},
    {Act::kill, "kill", false, false, false, {}},
}};

const ActText& text_of(Act act) { return act_texts[static_cast<std::size_t>(act)]; }

const ReplyText& text_of(Outcome outcome) { return *std::ranges::find(reply_texts, outcome, &ReplyText::outcome); }

template <class Value>
std::optional<Value> number_in(std::string_view word) {
  Value value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// The number that leads the reply, which is taken off it. None with a sign or a zero before it.
std::optional<std::uint64_t> take_number(std::string_view& line) {
  const std::string_view digits = line.substr(0, line.find(' '));
  line.remove_prefix(digits.size());
  if (digits.size() > 1 && digits.starts_with('0')) return std::nullopt;
  return number_in<std::uint64_t>(digits);
}

std::optional<Answer> read_as(Outcome outcome, std::string_view line, std::string_view tail) {
  const ReplyText& reply = text_of(outcome);
  std::uint64_t number = 0;
  if (reply.is_counted) {
    const auto leading = take_number(line);
    if (!leading) return std::nullopt;
    number = *leading;
  }
  if (!line.starts_with(reply.text) || line.substr(reply.text.size()) != tail) return std::nullopt;
  return Answer{outcome, number};
}

// Reads a history line by line, and knows of each session what must not be broken.
class Reader {
 public:
  void take(std::string_view line) {
    const auto divider = line.find(" = ");
    std::istringstream in{std::string(line.substr(0, divider))};
    Operation operation;
    operation.session = number<std::uint32_t>(in, "a session's number");
    operation.invoked = number<Moment>(in, "the moment at which it was asked");
    const std::string answered = word(in, "the moment at which it was answered, or ?");
    if (answered != "?") operation.answered = parsed<Moment>(answered, "a moment, or ?");
    read_request(in, operation);
    if (divider == std::string_view::npos) {
      if (operation.is_answered() && expects_reply(operation.act))
        throw std::runtime_error("an answered request needs its reply");
    } else {
      read_reply_of(operation, line.substr(divider + 3));
    }
    check_order(operation);
    history_.operations.push_back(operation);
  }

  History history() && { return std::move(history_); }

 private:
  struct Session {
    Moment invoked = 0;
    Moment answered = 0;
    bool ended = false;
  };

  static bool expects_reply(Act act) { return act < Act::has; }

  static std::string word(std::istringstream& in, const std::string& what) {
    std::string found;
    if (!(in >> found)) throw std::runtime_error("there should be " + what);
    return found;
  }
  template <class Value>
  static Value parsed(const std::string& text, const std::string& what) {
    const auto value = number_in<Value>(text);
    if (!value || *value < 0) throw std::runtime_error(text + " should be " + what);
    return *value;
  }
  template <class Value>
  static Value number(std::istringstream& in, const std::string& what) {
    return parsed<Value>(word(in, what), what);
  }

  void read_request(std::istringstream& in, Operation& operation) {
    const std::string verb = word(in, "a verb");
    const auto* const found = std::ranges::find(act_texts, verb, &ActText::word);
    if (found == act_texts.end()) throw std::runtime_error("no such verb: " + verb);
    operation.act = found->act;
    if (found->limit) operation.limit = number<std::uint32_t>(in, "a limit");
    if (found->milliseconds) operation.milliseconds = number<std::uint32_t>(in, "milliseconds");
    if (found->key) operation.key = key_index(word(in, "a key"));
    if (std::string more; in >> more) throw std::runtime_error("one word too many: " + more);
  }

  void read_reply_of(Operation& operation, std::string_view reply) const {
    if (!operation.is_answered() || !expects_reply(operation.act)) throw std::runtime_error("a reply to what has none");
    const auto answer = read_reply(reply, operation.act, has_key(operation.act) ? history_.keys[operation.key] : "");
    if (!answer) throw std::runtime_error("no reply to that request: " + std::string(reply));
    operation.outcome = answer->outcome;
    operation.number = answer->number;
  }

  void check_order(const Operation& operation) {
    Session& session = sessions_[operation.session];
    if (session.ended) throw std::runtime_error("the session had ended");
    if (operation.invoked < session.invoked) throw std::runtime_error("asked before what stands before it");
    if (operation.answered < operation.invoked) throw std::runtime_error("answered before it was asked");
    session.invoked = operation.invoked;
    session.ended = is_end(operation.act);
    if (session.ended) return;
    if (operation.answered < session.answered) throw std::runtime_error("answered before what stands before it");
    session.answered = operation.answered;
  }

  std::uint32_t key_index(const std::string& key) {
    const auto [at, is_new] = keys_.try_emplace(key, static_cast<std::uint32_t>(history_.keys.size()));
    if (is_new) history_.keys.push_back(key);
    return at->second;
  }

  History history_;
  std::unordered_map<std::string, std::uint32_t> keys_;
  std::map<std::uint32_t, Session> sessions_;
};

}  // namespace

bool is_end(Act act) { return act >= Act::quit; }

bool is_get(Act act) {
  return act == Act::get || act == Act::get_wait || act == Act::get_shared || act == Act::get_limited ||
         act == Act::get_limited_wait;
}

bool may_wait(const Operation& operation) {
  return (operation.act == Act::get_wait || operation.act == Act::get_limited_wait) && operation.milliseconds > 0;
}

bool has_key(Act act) { return text_of(act).key; }

LockKind kind_of(Act act) {
  const bool is_shared = (act >= Act::get_shared && act <= Act::token_shared) || act == Act::has_shared;
  return is_shared ? LockKind::shared : LockKind::exclusive;
}

std::string request_text(const std::vector<std::string>& keys, const Operation& operation) {
  const ActText& text = text_of(operation.act);
  std::string line(text.word);
  if (text.limit) line += " " + std::to_string(operation.limit);
  if (text.milliseconds) line += " " + std::to_string(operation.milliseconds);
  if (text.key) line += " " + keys[operation.key];
  return line;
}

std::string reply_text(const std::vector<std::string>& keys, const Operation& operation) {
  const ReplyText& reply = text_of(operation.outcome);
  std::string line = reply.is_counted ? std::to_string(operation.number) : "";
  line += reply.text;
  if (has_key(operation.act)) line += keys[operation.key];
  return line;
}

std::optional<Answer> read_reply(std::string_view line, Act act, std::string_view key) {
  for (const Outcome outcome : text_of(act).outcomes) {
    if (const auto answer = read_as(outcome, line, key)) return answer;
  }
  return std::nullopt;
}

History read_history(std::istream& in) {
  Reader reader;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    try {
      reader.take(line);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + error.what() + ": " + line);
    }
  }
  return std::move(reader).history();
}

std::string line_text(const std::vector<std::string>& keys, const Operation& operation) {
  std::string line = std::to_string(operation.session) + " " + std::to_string(operation.invoked) + " ";
  line += operation.is_answered() ? std::to_string(operation.answered) : "?";
  line += " " + request_text(keys, operation);
  if (operation.is_answered() && operation.act < Act::has) line += " = " + reply_text(keys, operation);
  return line;
}

void write_history(std::ostream& out, const History& history) {
  for (const Operation& operation : history.operations) out << line_text(history.keys, operation) << "\n";
}

}  // namespace lockd::histories
