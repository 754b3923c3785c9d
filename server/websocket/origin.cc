#include "server/websocket/origin.h"

#include <charconv>
#include <cstdint>

namespace lockd::server {

namespace {

constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view large_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view of_scheme = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
constexpr std::string_view of_host = "abcdefghijklmnopqrstuvwxyz0123456789-._";
constexpr std::string_view of_ipv6 = "0123456789abcdef:.";

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_scheme(std::string_view text) {
  return consists_of(text, of_scheme) && small_letters.find(text.front()) != std::string_view::npos;
}

/// 1 to 65535, as a browser writes it.
bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0 && text.front() != '0';
}

bool is_host(std::string_view host) {
  if (!host.starts_with('[')) return consists_of(host, of_host);
  return host.size() > 2 && host.ends_with(']') && consists_of(host.substr(1, host.size() - 2), of_ipv6);
}

bool is_default(std::string_view scheme, std::string_view port) {
  return (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
}

}  // namespace

std::string check_origin(std::string_view origin) {
  constexpr const char* form = "expected SCHEME://HOST or SCHEME://HOST:PORT, as in https://example.com";
  if (origin == "null") return "any page can call its origin null: serve the page from a host, and name that";
  if (origin == "*") return "there is no origin for all pages: name each";
  if (origin.find_first_of(large_letters) != std::string_view::npos) return "browsers send small letters";
  const std::size_t separator = origin.find("://");
  if (separator == std::string_view::npos || !is_scheme(origin.substr(0, separator))) return form;
  const std::string_view scheme = origin.substr(0, separator);
  const std::string_view rest = origin.substr(separator + 3);
  if (rest.find_first_of("/?#") != std::string_view::npos)
    return "an origin ends with its host or port, without a / or a path";
  const std::size_t colon = rest.ends_with(']') ? std::string_view::npos : rest.rfind(':');
  if (!is_host(rest.substr(0, colon))) return form;
  if (colon == std::string_view::npos) return {};
  const std::string_view port = rest.substr(colon + 1);
  if (!is_port(port)) return "the port must be a number from 1 to 65535";
  if (is_default(scheme, port)) return "browsers leave out the port that is the scheme's own";
  return {};
}

}  // namespace lockd::server
