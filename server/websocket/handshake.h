// What a WebSocket listener answers to an HTTP request.
#ifndef LOCKD_SERVER_WEBSOCKET_HANDSHAKE_H_
#define LOCKD_SERVER_WEBSOCKET_HANDSHAKE_H_

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::server {

using HandshakeRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HandshakeResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// Of a handshake's request line and headers; more is answered with 431. (Cookies are what makes them long.)
inline constexpr std::size_t handshake_bytes_max = 16 * 1024;

/// How long a handshake may take, unless the peer timeout is shorter: then that.
inline constexpr std::chrono::seconds handshake_time_max{10};

/// The subprotocol that is confirmed where a client offers it. No other is, and none is needed.
inline constexpr std::string_view subprotocol = "lockd";

/// Whom a listener lets in.
struct WebSocketPolicy {
  std::string path = "/";            // of the request's target, compared byte for byte; what follows a ? is ignored
  std::vector<std::string> origins;  // of pages that may connect; a client that is no browser says none, and may
};

/// The refusal of a request that does not ask for a WebSocket of this listener, or may not; none if it does.
std::optional<HandshakeResponse> refusal(const HandshakeRequest& request, const WebSocketPolicy& policy);

/// The answer to bytes that are no HTTP request, the reader having given this error.
HandshakeResponse refusal(const boost::system::error_code& error);

/// Adds what each answer to a handshake has: who gives it and, where it refuses, that the connection ends. Its body is
/// text, and gets its line end here.
void complete(HandshakeResponse& response);

/// Whether the client offers lockd's subprotocol, in whichever of its headers.
bool offers_subprotocol(const HandshakeRequest& request);

/// S4, in the words of HTTP: all that a connection too many is told.
extern const std::string too_many_connections_response;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_HANDSHAKE_H_
