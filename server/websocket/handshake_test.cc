// Which handshakes are refused, and how.
#include "server/websocket/handshake.h"

#include <gtest/gtest.h>

#include <boost/beast/http/error.hpp>

namespace lockd::server {
namespace {

namespace http = boost::beast::http;

const WebSocketPolicy policy{.path = "/locks", .origins = {"https://a.example", "http://b.example:8000"}};

HandshakeRequest handshake() {
  HandshakeRequest request(http::verb::get, "/locks", 11);
  request.set(http::field::host, "a");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  return request;
}

http::status status_of(const HandshakeRequest& request) {
  const auto refused = refusal(request, policy);
  if (refused) {
    EXPECT_TRUE(refused->body().ends_with('\n')) << "a line";
    EXPECT_FALSE(refused->keep_alive());
  }
  return refused ? refused->result() : http::status::switching_protocols;
}

TEST(Handshake, of_a_client_that_is_no_browser_is_let_in) {
  EXPECT_EQ(status_of(handshake()), http::status::switching_protocols);
}

TEST(Handshake, is_for_one_path) {
  HandshakeRequest request = handshake();
  for (const char* path : {"/", "/locks/", "/lock", "/Locks", "/locks#a", "*", "//locks"}) {
    request.target(path);
    EXPECT_EQ(status_of(request), http::status::not_found) << path;
  }
  request.target("/locks?a=/b?c");
  EXPECT_EQ(status_of(request), http::status::switching_protocols);
}

TEST(Handshake, that_asks_for_no_WebSocket_is_told_to) {
  HandshakeRequest request = handshake();
  request.erase(http::field::upgrade);
  EXPECT_EQ(status_of(request), http::status::upgrade_required);
  request = handshake();
  request.method(http::verb::post);
  EXPECT_EQ(status_of(request), http::status::upgrade_required);
  request = handshake();
  request.version(10);
  const auto refused = refusal(request, policy);
  ASSERT_TRUE(refused);
  EXPECT_EQ((*refused)[http::field::upgrade], "websocket");
}

TEST(Handshake, of_a_page_needs_an_origin_that_is_named) {
  for (const std::string& origin : policy.origins) {
    HandshakeRequest request = handshake();
    request.set(http::field::origin, origin);
    EXPECT_EQ(status_of(request), http::status::switching_protocols) << origin;
    request.insert(http::field::origin, "https://evil.example");
    EXPECT_EQ(status_of(request), http::status::forbidden) << "as all that it has must be";
  }
  for (const char* origin : {"", "null", "https://evil.example", "https://a.example:8443", "https://a.example/",
                             "http://b.example", "https://A.example", "https://sub.a.example"}) {
    HandshakeRequest request = handshake();
    request.set(http::field::origin, origin);
    EXPECT_EQ(status_of(request), http::status::forbidden) << origin;
  }
}

TEST(Handshake, of_a_page_is_refused_where_no_origin_is_named) {
  HandshakeRequest request = handshake();
  request.set(http::field::origin, "https://a.example");
  const auto refused = refusal(request, {.path = "/locks", .origins = {}});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->result(), http::status::forbidden);
}

TEST(Handshake, that_is_no_HTTP_is_a_bad_request_unless_it_is_too_long) {
  EXPECT_EQ(refusal(http::error::bad_method).result(), http::status::bad_request);
  for (const http::error error : {http::error::header_limit, http::error::buffer_overflow})
    EXPECT_EQ(refusal(error).result(), http::status::request_header_fields_too_large);
}

TEST(Handshake, may_offer_lockds_subprotocol_among_others) {
  HandshakeRequest request = handshake();
  EXPECT_FALSE(offers_subprotocol(request));
  request.set(http::field::sec_websocket_protocol, "chat, lockd2");
  EXPECT_FALSE(offers_subprotocol(request));
  request.set(http::field::sec_websocket_protocol, "chat, lockd");
  EXPECT_TRUE(offers_subprotocol(request));
  request.set(http::field::sec_websocket_protocol, "chat");
  request.insert(http::field::sec_websocket_protocol, "more, lockd");
  EXPECT_TRUE(offers_subprotocol(request)) << "in the second header";
}

TEST(Handshake, S4_one_too_many_is_told_so_in_HTTP) {
  EXPECT_TRUE(too_many_connections_response.starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(too_many_connections_response.ends_with(
      "Content-Length: 23\r\nConnection: close\r\n\r\n0 Too Many Connections\n"));
}

}  // namespace
}  // namespace lockd::server
