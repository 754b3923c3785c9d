// How events and differences are shown.
#include "proptests/event.h"

#include <sstream>

#include "model/reference_printer.h"

namespace lockd::proptests {
namespace {

std::string request_with(const Event& event, const std::string& key) {
  std::string text(model::spelling(event.verb));
  if (event.verb == Verb::get_limited || event.verb == Verb::get_limited_wait) {
    text += ' ' + std::to_string(event.limit);
  }
  if (event.verb == Verb::get_wait || event.verb == Verb::get_limited_wait) {
    text += ' ' + std::to_string(event.milliseconds);
  }
  return lock_of(event) ? text + ' ' + key : text;
}

void show_request(std::ostream& out, const Event& event) {
  const auto id = static_cast<std::uint64_t>(event.session);
  if (event.verb == Verb::release_all && event.budget != all_locks) {
    out << "#! of `ra` of " << id << ", a slice of " << event.budget;
  } else {
    out << id << "> " << request_with(event, shown(event.key));
  }
}

}  // namespace

std::string request_of(const Event& event) { return request_with(event, event.key); }

std::optional<model::Lock> lock_of(const Event& event) {
  if (event.what != What::asks) return std::nullopt;
  switch (event.verb) {
    case Verb::get:
    case Verb::get_wait:
    case Verb::release:
    case Verb::inspect:
    case Verb::inspect_line:
    case Verb::token:
      return model::Lock{LockKind::exclusive, event.key};
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
    case Verb::release_shared:
    case Verb::inspect_shared:
    case Verb::inspect_shared_line:
    case Verb::token_shared:
      return model::Lock{LockKind::shared, event.key};
    default:
      return std::nullopt;
  }
}

bool is_get(const Event& event) {
  if (event.what != What::asks) return false;
  switch (event.verb) {
    case Verb::get:
    case Verb::get_wait:
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
      return true;
    default:
      return false;
  }
}

std::ostream& operator<<(std::ostream& out, const Event& event) {
  const auto id = static_cast<std::uint64_t>(event.session);
  switch (event.what) {
    case What::asks:
      show_request(out, event);
      return out;
    case What::times_out:
      return out << "timeout " << id;
    case What::learns:
      return out << "#! " << id << " learns that it got the lock";
    case What::ends:
      if (event.budget == all_locks) return out << "close " << id;
      return out << "#! the end of " << id << ", a slice of " << event.budget;
  }
  return out;
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
  for (const auto& [to, answer, key] : replies) {
    if (!lines.empty()) lines += ", ";
    Request request;
    request.text = key;
    auto line = model::print(answer, request, "");
    if (!line.empty()) line.pop_back();
    lines += std::to_string(static_cast<std::uint64_t>(to)) + "< " + line;
  }
  return '"' + lines + '"';
}

}  // namespace lockd::proptests
