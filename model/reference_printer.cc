// The tables of texts, and the ways in which bytes are escaped.
#include "model/reference_printer.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace lockd::model {
namespace {

// F9: each verb's own form, in the order of Verb.
constexpr std::array<std::string_view, verb_count> usages{
    "g KEY",
    "gw MILLISECONDS KEY",
    "r KEY",
    "i KEY",
    "iw KEY",
    "t KEY",
    "sg KEY",
    "sgl LIMIT KEY",
    "sgw LIMIT MILLISECONDS KEY",
    "sr KEY",
    "si KEY",
    "siw KEY",
    "st KEY",
    "ra",
    "cancel",
    "d [KEY]",
    "sd [KEY]",
    "dump [shared]",
    "list [PREFIX]",
    "q",
    "stats",
    "me",
    "iam [NAME]",
    "who [NAME]",
    "ping",
    "version",
    "help",
    "quit",
};

// What stands at the end of a reply.
enum class Echo { nothing, key, verb, usage, version };

struct Text {
  Outcome outcome;
  std::string_view words;  // # stands for the answer's number
  Echo echo;
};

constexpr std::array<Text, static_cast<std::size_t>(Outcome::version) + 1> texts{{
    {Outcome::lock_get_success, "1 Lock Get Success: ", Echo::key},
    {Outcome::lock_get_failure, "0 Lock Get Failure: ", Echo::key},
    {Outcome::lock_get_timeout, "0 Lock Get Timeout: ", Echo::key},
    {Outcome::lock_get_deadlock, "0 Lock Get Deadlock: ", Echo::key},
    {Outcome::lock_get_canceled, "0 Lock Get Canceled: ", Echo::key},
    {Outcome::lock_release_success, "1 Lock Release Success: ", Echo::key},
    {Outcome::lock_release_failure, "0 Lock Release Failure: ", Echo::key},
    {Outcome::lock_is_locked, "1 Lock Is Locked: ", Echo::key},
    {Outcome::lock_not_locked, "0 Lock Not Locked: ", Echo::key},
    {Outcome::lock_waiters, "# Lock Waiters: ", Echo::key},
    {Outcome::lock_token, "# Lock Token: ", Echo::key},
    {Outcome::lock_not_held, "0 Lock Not Held: ", Echo::key},
    {Outcome::shared_get_success, "# Shared Lock Get Success: ", Echo::key},
    {Outcome::shared_get_failure, "0 Shared Lock Get Failure: ", Echo::key},
    {Outcome::shared_get_timeout, "0 Shared Lock Get Timeout: ", Echo::key},
    {Outcome::shared_get_canceled, "0 Shared Lock Get Canceled: ", Echo::key},
    {Outcome::shared_release_success, "1 Shared Lock Release Success: ", Echo::key},
    {Outcome::shared_release_failure, "0 Shared Lock Release Failure: ", Echo::key},
    {Outcome::shared_is_locked, "# Shared Lock Is Locked: ", Echo::key},
    {Outcome::shared_not_locked, "0 Shared Lock Not Locked: ", Echo::key},
    {Outcome::shared_waiters, "# Shared Lock Waiters: ", Echo::key},
    {Outcome::shared_token, "# Shared Lock Token: ", Echo::key},
    {Outcome::shared_not_held, "0 Shared Lock Not Held: ", Echo::key},
    {Outcome::too_many_locks, "0 Too Many Locks: ", Echo::key},
    {Outcome::too_many_waiters, "0 Too Many Waiters: ", Echo::key},
    {Outcome::out_of_tokens, "0 Out Of Tokens: ", Echo::key},
    {Outcome::locks_released, "# Locks Released", Echo::nothing},
    {Outcome::canceled, "1 Canceled", Echo::nothing},
    {Outcome::nothing_to_cancel, "0 Nothing To Cancel", Echo::nothing},
    {Outcome::too_much_input, "0 Too Much Input: limit # bytes", Echo::nothing},
    {Outcome::unknown_command, "0 Unknown Command: ", Echo::verb},
    {Outcome::bad_arguments, "0 Bad Arguments: ", Echo::usage},
    {Outcome::line_too_long, "0 Line Too Long: limit # bytes", Echo::nothing},
    {Outcome::disabled, "0 disabled", Echo::nothing},
    {Outcome::named, "1 ok", Echo::nothing},
    {Outcome::pong, "1 pong", Echo::nothing},
    {Outcome::version, "1 lockd ", Echo::version},
}};

std::string hex(unsigned char byte, std::string_view digits) { return {digits[byte / 16], digits[byte % 16]}; }

// F8: the first 64 bytes, then what can't be shown replaced. A backslash is shown as it is.
std::string shown_verb(std::string_view verb) {
  std::string shown;
  for (const char character : verb.substr(0, 64)) {
    const auto byte = static_cast<unsigned char>(character);
    const bool visible = byte >= 0x21 && byte <= 0x7E;
    shown += visible ? std::string(1, character) : "\\x" + hex(byte, "0123456789ABCDEF");
  }
  return shown;
}

// How many bytes a UTF-8 sequence has that begins with this one; 0 if none does.
std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC0 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF8) return 4;
  return 0;
}

// How many bytes the well-formed UTF-8 sequence takes that `bytes` begins with (RFC 3629), or 0 when it begins with
// none: no sequence longer than need be, no surrogate, nothing beyond U+10FFFF.
std::size_t utf8_length(std::string_view bytes) {
  const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::size_t length = announced_length(at(0));
  if (length <= 1) return length;
  if (bytes.size() < length) return 0;
  std::uint32_t point = at(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    point = point * 64 + (at(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point >= least[length] && !surrogate && point <= 0x10FFFF ? length : 0;
}

}  // namespace

std::string usage(Verb verb) { return std::string(usages[static_cast<std::size_t>(verb)]); }

std::string spelling(Verb verb) {
  const std::string form = usage(verb);
  return form.substr(0, form.find(' '));
}

std::string json_string(std::string_view bytes) {
  std::string quoted = "\"";
  while (!bytes.empty()) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    const auto length = utf8_length(bytes);
    if (length == 0 || byte < 0x20) {
      quoted += "\\u00" + hex(byte, "0123456789abcdef");
    } else {
      if (byte == '"' || byte == '\\') quoted += '\\';
      quoted += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return quoted + '"';
}

std::string listed_holder(std::string_view holder) {
  std::string listed;
  for (const char character : holder) {
    const bool escaped = std::string_view("\\ \t\r\v\f").find(character) != std::string_view::npos;
    listed +=
        escaped ? "\\x" + hex(static_cast<unsigned char>(character), "0123456789ABCDEF") : std::string(1, character);
  }
  return listed;
}

std::string print(const Answer& answer, const Request& request, std::string_view version) {
  const auto& [outcome, words, echo] = *std::ranges::find(texts, answer.outcome, &Text::outcome);
  std::string reply;
  reply.reserve(256);  // enough for most, so that what is appended moves nothing
  reply = words;
  if (const auto place = reply.find('#'); place != std::string::npos) {
    reply.replace(place, 1, std::to_string(answer.number));
  }
  if (echo == Echo::key) reply += request.text;
  if (echo == Echo::verb) reply += shown_verb(request.text);
  if (echo == Echo::usage) reply += usage(request.verb);
  if (echo == Echo::version) reply += version;
  reply += '\n';
  return reply;
}

}  // namespace lockd::model
