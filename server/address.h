// How a connection's other end is written, and how a listening address is read.
#ifndef LOCKD_SERVER_ADDRESS_H_
#define LOCKD_SERVER_ADDRESS_H_

#include <boost/asio/generic/stream_protocol.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.h"

namespace lockd::server {

using StreamProtocol = boost::asio::generic::stream_protocol;

/// ADDRESS of R1: IP:PORT, [IP]:PORT in the form of RFC 5952, a v4-mapped one as IPv4, or unix:N with the session's
/// number.
std::string peer_address(const StreamProtocol::endpoint& peer, SessionId session);

/// A listening address: `tcp://HOST:PORT`, HOST an IPv4 address, an IPv6 address in brackets or a name, PORT 0 to
/// 65535; `ws://HOST:PORT` or `ws://HOST:PORT/PATH`, for WebSockets; or `unix:///PATH`.
struct ListenUri {
  bool is_unix = false;
  std::string host;  // without brackets
  std::string port;
  std::string path;                           // of a Unix socket
  std::optional<std::string> websocket_path;  // begins with a /; none if not for WebSockets
};

/// Throws std::invalid_argument, what() saying what is wrong with it.
ListenUri parse_listen_uri(std::string_view uri);

/// The same, written: as `listening on` and the log show it. websocket_path: as in ListenUri.
std::string listen_uri(const StreamProtocol::endpoint& local, const std::optional<std::string>& websocket_path = {});

/// The endpoints to bind: one for each address of the host. Throws std::runtime_error where a name has none, or a path
/// is too long for a socket.
std::vector<StreamProtocol::endpoint> resolve(const ListenUri& uri);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_ADDRESS_H_
