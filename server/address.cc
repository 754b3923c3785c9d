#include "server/address.h"

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

ListenUri parse_tcp(std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) throw std::invalid_argument("expected tcp://HOST:PORT");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (!is_port(port)) throw std::invalid_argument("the port must be a number from 0 to 65535");
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) throw std::invalid_argument("expected tcp://HOST:PORT");
  if (!bracketed && host.find(':') != std::string_view::npos)
    throw std::invalid_argument("an IPv6 address goes in brackets: tcp://[::1]:PORT");
  return {.is_unix = false, .host = std::string(host), .port = std::string(port), .path = {}};
}

}  // namespace

std::string peer_address(const StreamProtocol::endpoint& peer, SessionId session) {
  if (is_unix(peer)) return "unix:" + std::to_string(static_cast<std::uint64_t>(session));
  return host_and_port(as<tcp::endpoint>(peer));
}

ListenUri parse_listen_uri(std::string_view uri) {
  constexpr std::string_view tcp_scheme = "tcp://";
  constexpr std::string_view unix_scheme = "unix://";
  if (uri.starts_with(tcp_scheme)) return parse_tcp(uri.substr(tcp_scheme.size()));
  if (!uri.starts_with(unix_scheme)) throw std::invalid_argument("expected tcp://HOST:PORT or unix:///PATH");
  const std::string_view path = uri.substr(unix_scheme.size());
  if (!path.starts_with('/')) throw std::invalid_argument("the path of a socket is absolute: unix:///PATH");
  if (path.ends_with('/')) throw std::invalid_argument("the path of a socket names a file");
  return {.is_unix = true, .host = {}, .port = {}, .path = std::string(path)};
}

std::string listen_uri(const StreamProtocol::endpoint& local) {
  if (is_unix(local)) {
    std::string path = as<asio::local::stream_protocol::endpoint>(local).path();
    if (path.starts_with('\0')) path.front() = '@';  // of Linux's abstract names, as people write them
    return "unix://" + path;
  }
  return "tcp://" + host_and_port(as<tcp::endpoint>(local));
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
