#include "server/websocket/handshake.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "server/protocol.h"

namespace lockd::server {

namespace http = boost::beast::http;

namespace {

HandshakeResponse response(http::status status, std::string_view line) {
  HandshakeResponse answer(status, 11);
  answer.body() = line;
  complete(answer);
  return answer;
}

HandshakeResponse upgrade_required() {
  HandshakeResponse answer =
      response(http::status::upgrade_required,
               "here is a WebSocket, and this is no handshake for one: connect with ws:// instead");
  answer.set(http::field::connection, "Upgrade, close");
  answer.set(http::field::upgrade, "websocket");
  answer.set(http::field::sec_websocket_version, "13");
  return answer;
}

std::string_view path_of(const HandshakeRequest& request) {
  const std::string_view target(request.target().data(), request.target().size());
  return target.substr(0, target.find('?'));
}

/// All of them, should there be several.
bool may_connect(const HandshakeRequest& request, const WebSocketPolicy& policy) {
  const auto [begin, end] = request.equal_range(http::field::origin);
  return std::all_of(begin, end, [&](const auto& field) {
    const std::string_view origin(field.value().data(), field.value().size());
    return std::ranges::find(policy.origins, origin) != policy.origins.end();
  });
}

}  // namespace

std::optional<HandshakeResponse> refusal(const HandshakeRequest& request, const WebSocketPolicy& policy) {
  if (path_of(request) != policy.path)
    return response(http::status::not_found, "no WebSocket at this path: it is at " + policy.path);
  if (!boost::beast::websocket::is_upgrade(request)) return upgrade_required();
  if (!may_connect(request, policy))
    return response(http::status::forbidden, "pages of this origin may not connect: start lockd with --ws-origin");
  return std::nullopt;
}

HandshakeResponse refusal(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return response(http::status::request_header_fields_too_large, "the request's headers are too long");
  return response(http::status::bad_request, "here is a WebSocket, and this is no HTTP: connect with ws:// instead");
}

void complete(HandshakeResponse& response) {
  response.set(http::field::server, "lockd");
  if (response.result() == http::status::switching_protocols) return;
  response.version(11);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::connection, "close");
  response.body() += "\n";
  response.prepare_payload();
}

bool offers_subprotocol(const HandshakeRequest& request) {
  const auto [begin, end] = request.equal_range(http::field::sec_websocket_protocol);
  return std::any_of(begin, end, [](const auto& field) {
    return http::token_list{field.value()}.exists({subprotocol.data(), subprotocol.size()});
  });
}

const std::string too_many_connections_response =
    "HTTP/1.1 503 Service Unavailable\r\nServer: lockd\r\nContent-Type: text/plain\r\nContent-Length: " +
    std::to_string(too_many_connections_line.size()) + "\r\nConnection: close\r\n\r\n" +
    std::string(too_many_connections_line);

}  // namespace lockd::server
