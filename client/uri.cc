#include "client/uri.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace lockd {

namespace {

Error wrong(std::string_view uri, std::string_view what) {
  return {Cause::bad_argument, std::string(uri).append(": ").append(what)};
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

Result<Address> parse_tcp(std::string_view uri, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return wrong(uri, "expected tcp://HOST:PORT");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (!is_port(port)) return wrong(uri, "the port must be a number from 1 to 65535");
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return wrong(uri, "expected tcp://HOST:PORT");
  if (!bracketed && host.find(':') != std::string_view::npos)
    return wrong(uri, "an IPv6 address goes in brackets: tcp://[::1]:PORT");
  return Address{.is_unix = false, .host = std::string(host), .port = std::string(port), .path = {}};
}

}  // namespace

Result<Address> parse_uri(std::string_view uri) {
  constexpr std::string_view tcp_scheme = "tcp://";
  constexpr std::string_view unix_scheme = "unix://";
  if (uri.find('\0') != std::string_view::npos) return wrong("the URI", "it must not contain a NUL");
  if (uri.starts_with(tcp_scheme)) return parse_tcp(uri, uri.substr(tcp_scheme.size()));
  if (!uri.starts_with(unix_scheme)) return wrong(uri, "expected tcp://HOST:PORT or unix:///PATH");
  const std::string_view path = uri.substr(unix_scheme.size());
  if (!path.starts_with('/')) return wrong(uri, "the path of a socket is absolute: unix:///PATH");
  if (path.ends_with('/')) return wrong(uri, "the path of a socket names a file");
  return Address{.is_unix = true, .host = {}, .port = {}, .path = std::string(path)};
}

}  // namespace lockd
