#include "server/setting_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "server/address.h"
#include "server/websocket/origin.h"

namespace lockd::server {

namespace {

std::string refusal(const std::string& value, const std::string& why) {
  return (value.empty() ? "''" : value) + ": " + why;
}

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::string check_listen_uri(const std::string& uri) {
  try {
    parse_listen_uri(uri);
    return {};
  } catch (const std::invalid_argument& error) {
    return refusal(uri, error.what());
  }
}

std::string check_http_uri(const std::string& uri) {
  if (uri.starts_with("tcp://") || uri.starts_with("unix://")) return check_listen_uri(uri);
  return refusal(uri, "expected tcp://HOST:PORT or unix:///PATH");
}

std::string check_websocket_origin(const std::string& origin) {
  const std::string what = check_origin(origin);
  return what.empty() ? what : refusal(origin, what);
}

std::string check_path(const std::string& path) {
  return path.empty() ? "the path is empty: leave the setting out for none" : "";
}

std::string check_switch(const std::string& value) {
  constexpr std::array<std::string_view, 8> values = {"true", "false", "on", "off", "yes", "no", "1", "0"};
  return contains(values, value) ? std::string() : refusal(value, "expected true or false");
}

std::string check_mode(const std::string& mode) {
  const bool octal = !mode.empty() && mode.size() <= 4 && mode.find_first_not_of("01234567") == std::string::npos;
  if (octal && std::stoul(mode, nullptr, 8) <= 0777) return {};
  return refusal(mode, "expected octal permission bits, 0 to 777");
}

std::string check_log_level(const std::string& level) {
  constexpr std::array<std::string_view, 5> levels = {"debug", "info", "warning", "error", "off"};
  return contains(levels, level) ? std::string() : refusal(level, "expected debug, info, warning, error or off");
}

CLI::Validator whole_number(std::uint64_t min, std::uint64_t max) {
  const auto check = [min, max](std::string& text) -> std::string {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    if (!is_number || number < min || number > max) {
      return refusal(text, "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    text = std::to_string(number);
    return {};
  };
  return {check, ""};
}

}  // namespace lockd::server
