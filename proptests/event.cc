// How events and differences are shown.
#include "proptests/event.h"

#include <sstream>

#include "model/reference_printer.h"

namespace lockd::proptests {

std::ostream& operator<<(std::ostream& out, const Event& event) {
  const auto id = static_cast<std::uint64_t>(event.session);
  if (event.verb) return out << id << "> " << model::spelling(*event.verb) << ' ' << shown(event.key);
  if (event.budget == all_locks) return out << "close " << id;
  return out << "# the end of " << id << ", a slice of " << event.budget;
}

std::string shown(const Key& key) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string escaped;
  for (const char character : key) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte > ' ' && byte < 0x7f && byte != '\\') {
      escaped += character;
    } else {
      escaped += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
    }
  }
  return escaped;
}

std::string shown(const std::vector<model::Reply>& replies) {
  if (replies.empty()) return "(nothing)";
  std::string lines;
  for (const auto& [to, answer, key] : replies) lines += model::print(answer, {LineKind::command, Verb::get, key}, "");
  lines.pop_back();
  return '"' + lines + '"';
}

}  // namespace lockd::proptests
