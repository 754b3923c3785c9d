#include "server/address.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace lockd::server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// The same address in the type of its family.
template <class Endpoint>
Endpoint as(const StreamProtocol::endpoint& generic) {
  Endpoint endpoint;
  std::memcpy(endpoint.data(), generic.data(), generic.size());
  endpoint.resize(generic.size());  // after the bytes: the length of a Unix socket's path depends on them
  return endpoint;
}

bool is_unix(const StreamProtocol::endpoint& endpoint) { return endpoint.protocol().family() == AF_UNIX; }

std::string host_and_port(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

/// HOST:PORT, which `form` is to say where it is not that.
ListenUri parse_host_and_port(std::string_view text, const std::string& form) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw std::invalid_argument("expected " + form);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (!is_port(port)) throw std::invalid_argument("the port must be a number from 0 to 65535");
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) throw std::invalid_argument("expected " + form);
  if (!bracketed && host.find(':') != std::string_view::npos)
    throw std::invalid_argument("an IPv6 address goes in brackets: [::1]:PORT");
  ListenUri uri;
  uri.host = host;
  uri.port = port;
  return uri;
}

/// What a browser would ask for, byte for byte.
bool is_web_path(std::string_view path) {
  return std::ranges::all_of(path, [](char byte) { return byte > 0x20 && byte < 0x7f && byte != '?' && byte != '#'; });
}

ListenUri parse_websocket(std::string_view rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  ListenUri uri = parse_host_and_port(rest.substr(0, slash), "ws://HOST:PORT or ws://HOST:PORT/PATH");
  uri.websocket_path = slash == rest.size() ? "/" : rest.substr(slash);
  if (!is_web_path(*uri.websocket_path))
    throw std::invalid_argument("the path is written as in a URI, and has no ? or #");
  return uri;
}

ListenUri parse_unix(std::string_view path) {
  if (!path.starts_with('/')) throw std::invalid_argument("the path of a socket is absolute: unix:///PATH");
  if (path.ends_with('/')) throw std::invalid_argument("the path of a socket names a file");
  ListenUri uri;
  uri.is_unix = true;
  uri.path = path;
  return uri;
}

}  // namespace

std::string peer_address(const StreamProtocol::endpoint& peer, SessionId session) {
  if (is_unix(peer)) return "unix:" + std::to_string(static_cast<std::uint64_t>(session));
  return host_and_port(as<tcp::endpoint>(peer));
}

ListenUri parse_listen_uri(std::string_view uri) {
  constexpr std::string_view tcp_scheme = "tcp://";
  constexpr std::string_view unix_scheme = "unix://";
  constexpr std::string_view websocket_scheme = "ws://";
  if (uri.starts_with(tcp_scheme)) return parse_host_and_port(uri.substr(tcp_scheme.size()), "tcp://HOST:PORT");
  if (uri.starts_with(unix_scheme)) return parse_unix(uri.substr(unix_scheme.size()));
  if (uri.starts_with(websocket_scheme)) return parse_websocket(uri.substr(websocket_scheme.size()));
  if (uri.starts_with("wss://"))
    throw std::invalid_argument("TLS is for a proxy before lockd, which listens at ws://HOST:PORT");
  throw std::invalid_argument("expected tcp://HOST:PORT, unix:///PATH or ws://HOST:PORT/PATH");
}

std::string listen_uri(const StreamProtocol::endpoint& local, const std::optional<std::string>& websocket_path) {
  if (is_unix(local)) {
    std::string path = as<asio::local::stream_protocol::endpoint>(local).path();
    if (path.starts_with('\0')) path.front() = '@';  // of Linux's abstract names, as people write them
    return "unix://" + path;
  }
  const std::string host_port = host_and_port(as<tcp::endpoint>(local));
  return websocket_path ? "ws://" + host_port + *websocket_path : "tcp://" + host_port;
}

std::vector<StreamProtocol::endpoint> resolve(const ListenUri& uri) {
  if (uri.is_unix) return {asio::local::stream_protocol::endpoint(uri.path)};
  asio::io_context context;
  tcp::resolver resolver(context);
  std::vector<StreamProtocol::endpoint> endpoints;
  for (const auto& found :
       resolver.resolve(uri.host, uri.port, tcp::resolver::passive | tcp::resolver::numeric_service)) {
    endpoints.emplace_back(found.endpoint());
  }
  return endpoints;
}

}  // namespace lockd::server
