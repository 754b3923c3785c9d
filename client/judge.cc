#include "client/judge.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <system_error>

#include "client/request.h"

namespace lockd {

namespace {

/// A way to say no: as the server says it behind the "0 ", and what that is to people, behind the key.
struct No {
  std::string_view text;
  std::optional<Cause> cause;  // none: the no is a value
  std::string_view meaning;
};

/// The replies of a family, without the "Shared " of its other half.
struct Replies {
  std::string_view yes;
  bool may_be_zero;
  std::span<const No> noes;
};

constexpr std::array get_noes = {
    No{"Lock Get Failure", Cause::unavailable, "is held by others"},
    No{"Lock Get Timeout", Cause::timed_out, "could not be had in time"},
    No{"Lock Get Deadlock", Cause::deadlock, "would close a circle of clients that wait for one another"},
    No{"Lock Get Canceled", Cause::canceled, "is not waited for any more: the wait was canceled"},
};
constexpr std::array release_noes = {No{"Lock Release Failure", Cause::not_held, "is not held by this client"}};
constexpr std::array inspect_noes = {No{"Lock Not Locked", std::nullopt, ""}};
constexpr std::array token_noes = {No{"Lock Not Held", Cause::not_held, "is not held by this client"}};

/// Of both modes alike.
constexpr std::array limit_noes = {
    No{"Too Many Locks", Cause::too_many_locks, "is one more than a client of this server may hold"},
    No{"Too Many Waiters", Cause::too_many_waiters, "has as many waiters as the server allows"},
    No{"Out Of Tokens", Cause::out_of_tokens, "cannot be had: the server has no token for it"},
};

Replies replies_of(Family family) {
  switch (family) {
    case Family::get:
      return {"Lock Get Success", false, get_noes};
    case Family::release:
      return {"Lock Release Success", false, release_noes};
    case Family::inspect:
      return {"Lock Is Locked", false, inspect_noes};
    case Family::waiters:
      return {"Lock Waiters", true, {}};
    case Family::token:
      return {"Lock Token", false, token_noes};
  }
  return {"", false, {}};
}

/// Takes `part` off the front of `rest`, if it stands there.
bool take(std::string_view& rest, std::string_view part) {
  if (!rest.starts_with(part)) return false;
  rest.remove_prefix(part.size());
  return true;
}

bool take_number(std::string_view& rest, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

/// Takes what stands before the next space off `rest`, and the space.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

bool is_about(std::string_view rest, std::string_view text, std::string_view key) {
  return take(rest, text) && take(rest, ": ") && rest == key;
}

Result<std::uint64_t> no(const No& said, std::string_view key) {
  if (!said.cause) return std::uint64_t{0};
  return Error{*said.cause, shown(key).append(" ").append(said.meaning)};
}

int hex_value(char digit) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const std::size_t found = digits.find(digit);
  return found == std::string_view::npos ? -1 : static_cast<int>(found);
}

/// Undoes the `\xHH` of E2.
std::optional<std::string> unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text.front() != '\\') {
      bytes.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 4 || text[1] != 'x' || hex_value(text[2]) < 0 || hex_value(text[3]) < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(hex_value(text[2]) * 16 + hex_value(text[3])));
    text.remove_prefix(4);
  }
  return bytes;
}

}  // namespace

Result<std::uint64_t> judge(Family family, Mode mode, std::string_view key, std::string_view line) {
  const Replies replies = replies_of(family);
  std::string_view rest = line;
  std::uint64_t number = 0;
  if (!take_number(rest, number) || !take(rest, " ")) return refusal(line);
  for (const No& each : limit_noes) {
    if (family == Family::get && number == 0 && is_about(rest, each.text, key)) return no(each, key);
  }
  if (mode == Mode::shared && !take(rest, "Shared ")) return refusal(line);
  if ((number > 0 || replies.may_be_zero) && is_about(rest, replies.yes, key)) return number;
  for (const No& each : replies.noes) {
    if (number == 0 && is_about(rest, each.text, key)) return no(each, key);
  }
  return refusal(line);
}

Error refusal(std::string_view line) {
  const std::string said = "the server says " + shown(line);
  if (line == "0 disabled")
    return {Cause::disabled, "this is disabled on the server, by its --no-dump or --no-registry"};
  if (line == "0 Too Many Connections")
    return {Cause::too_many_connections, "the server has too many connections (its --max-connections)"};
  for (const std::string_view text : {"0 Bad Arguments: ", "0 Line Too Long: ", "0 Unknown Command: "}) {
    if (line.starts_with(text)) return {Cause::refused, said};
  }
  return {Cause::protocol_error, "this is no reply of lockd: " + shown(line)};
}

Result<std::uint64_t> judge_released(std::string_view line) {
  std::string_view rest = line;
  std::uint64_t number = 0;
  if (take_number(rest, number) && rest == " Locks Released") return number;
  return refusal(line);
}

std::optional<ListedLock> parse_listed(std::string_view line) {
  ListedLock listed;
  const auto mode = take_word(line);
  if (mode != "x" && mode != "s") return std::nullopt;
  listed.mode = mode == "x" ? Mode::exclusive : Mode::shared;
  const auto state = take_word(line);
  if (state != "held" && state != "waiting") return std::nullopt;
  listed.waiting = state == "waiting";
  std::uint64_t age_ms = 0;
  if (!take_number(line, age_ms) || !take(line, " ")) return std::nullopt;
  listed.age = std::chrono::milliseconds(age_ms);
  if (!take_number(line, listed.token) || !take(line, " ")) return std::nullopt;
  const auto holder = take_word(line);
  const auto name = holder ? unescaped(*holder) : std::nullopt;
  if (!name) return std::nullopt;
  listed.holder = *name;
  listed.key = line;
  return listed;
}

std::optional<KeyHolder> parse_holder(std::string_view line, std::string_view key) {
  if (!key.empty()) {
    if (!take(line, key) || !take(line, ": ")) return std::nullopt;
    return KeyHolder{std::string(key), std::string(line)};
  }
  const std::size_t colon = line.rfind(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  return KeyHolder{std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))};
}

std::optional<Identity> parse_identity(std::string_view line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  return Identity{std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))};
}

std::optional<std::pair<std::string, std::uint64_t>> parse_counter(std::string_view line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::string_view rest = line.substr(colon + 2);
  if (!take_number(rest, number) || !rest.empty()) return std::nullopt;
  return std::pair(std::string(line.substr(0, colon)), number);
}

}  // namespace lockd
