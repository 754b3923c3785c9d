// The table of texts, and the two ways in which bytes are escaped.
#include "model/reference_printer.h"

#include <array>
#include <cstdint>

namespace lockd::model {
namespace {

constexpr std::array<std::string_view, verb_count> usages{
    "g KEY", "r KEY", "i KEY",      "sg KEY",     "sr KEY", "si KEY",  "d [KEY]", "sd [KEY]", "dump [shared]",
    "q",     "me",    "iam [NAME]", "who [NAME]", "ping",   "version", "help",    "quit",
};

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

std::string print(const Answer& answer, const Request& request, std::string_view version) {
  const std::string number = std::to_string(answer.number);
  const std::string& key = request.text;
  switch (answer.outcome) {
    case Outcome::lock_get_success:
      return "1 Lock Get Success: " + key + "\n";
    case Outcome::lock_get_failure:
      return "0 Lock Get Failure: " + key + "\n";
    case Outcome::lock_release_success:
      return "1 Lock Release Success: " + key + "\n";
    case Outcome::lock_release_failure:
      return "0 Lock Release Failure: " + key + "\n";
    case Outcome::lock_is_locked:
      return "1 Lock Is Locked: " + key + "\n";
    case Outcome::lock_not_locked:
      return "0 Lock Not Locked: " + key + "\n";
    case Outcome::shared_get_success:
      return number + " Shared Lock Get Success: " + key + "\n";
    case Outcome::shared_release_success:
      return "1 Shared Lock Release Success: " + key + "\n";
    case Outcome::shared_release_failure:
      return "0 Shared Lock Release Failure: " + key + "\n";
    case Outcome::shared_is_locked:
      return number + " Shared Lock Is Locked: " + key + "\n";
    case Outcome::shared_not_locked:
      return "0 Shared Lock Not Locked: " + key + "\n";
    case Outcome::too_many_locks:
      return "0 Too Many Locks: " + key + "\n";
    case Outcome::unknown_command:
      return "0 Unknown Command: " + shown_verb(request.text) + "\n";
    case Outcome::bad_arguments:
      return "0 Bad Arguments: " + usage(request.verb) + "\n";
    case Outcome::line_too_long:
      return "0 Line Too Long: limit " + number + " bytes\n";
    case Outcome::disabled:
      return "0 disabled\n";
    case Outcome::named:
      return "1 ok\n";
    case Outcome::pong:
      return "1 pong\n";
    case Outcome::version:
      return "1 lockd " + std::string(version) + "\n";
  }
  return "";
}

}  // namespace lockd::model
