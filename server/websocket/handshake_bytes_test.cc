// Whatever bytes come first on a WebSocket's connection: it is accepted or refused, as docs/websocket.md says, and
// leaves nothing behind.
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/websocket/test_web_socket.h"

namespace lockd::server {
namespace {

const std::string blank_line = "\r\n\r\n";

/// The handshake with a header more.
std::string handshake_with(const std::string& header) {
  const std::string request(handshake_request);
  return request.substr(0, request.size() - 2) + header + blank_line;
}

/// The handshake with these words in the place of those.
std::string handshake_with(const std::string& words, const std::string& instead) {
  std::string request(handshake_request);
  request.replace(request.find(words), words.size(), instead);
  return request;
}

class HandshakeBytesTest : public testing::Test, protected WebSocketWorker {
 protected:
  /// The status that a client gets which sends just this and its FIN; "" if the connection ends without a word.
  std::string status_of(std::string_view bytes) {
    Peer peer(context());
    accept_web_socket(peer)->serve(SessionId{++last_session_}, "A");
    std::size_t sent = 0;
    EXPECT_TRUE(run_until([&] {
      if (sent < bytes.size()) sent += peer.send_some(bytes.substr(sent));
      peer.read();
      return sent == bytes.size() || peer.ended;
    }));
    boost::system::error_code ignored;
    peer.socket.shutdown(boost::asio::socket_base::shutdown_send, ignored);
    EXPECT_TRUE(run_until([&] { return peer.read(), peer.ended; }));
    peer.socket.close();
    EXPECT_TRUE(run_until_over());
    EXPECT_EQ(server_.registry.size(), 0U) << "no session is left";
    EXPECT_TRUE(peer.received.empty() || peer.received.starts_with("HTTP/1.1 ")) << peer.received;
    return peer.received.empty() ? "" : peer.received.substr(9, 3);
  }

  void expect(std::string_view status, const std::vector<std::string>& requests) {
    for (const std::string& bytes : requests) EXPECT_EQ(status_of(bytes), status) << bytes;
  }
};

TEST_F(HandshakeBytesTest, that_ask_for_a_WebSocket_are_accepted) {
  expect("101", {std::string(handshake_request), handshake_with("GET /", "GET /?a=b"), handshake_with("Cookie: a=b"),
                 handshake_with("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
                 handshake_with("Upgrade: websocket", "UPGRADE: WebSocket"), handshake_with("Host: a", "Host:")});
}

TEST_F(HandshakeBytesTest, of_a_page_are_refused_where_no_origin_is_named) {
  expect("403", {handshake_with("Origin: https://a.example"), handshake_with("Origin:"),
                 handshake_with("origin: null\r\nOrigin: https://a.example")});
}

TEST_F(HandshakeBytesTest, for_another_path_are_refused) {
  expect("404", {handshake_with("GET /", "GET /locks"), handshake_with("GET /", "GET *"),
                 handshake_with("GET /", "GET //"), handshake_with("GET /", "GET http://a/"),
                 handshake_with("GET /", "GET /%2f"), handshake_with("GET /", "POST /a")});
}

TEST_F(HandshakeBytesTest, that_ask_for_something_else_are_told_what_is_here) {
  expect("426", {"GET / HTTP/1.1" + blank_line, "GET / HTTP/1.0" + blank_line, handshake_with("GET", "POST"),
                 handshake_with("HTTP/1.1", "HTTP/1.0"), handshake_with("Upgrade: websocket", "Upgrade: h2c"),
                 handshake_with("Connection: Upgrade", "Connection: close"),
                 handshake_with("Version: 13", "Version: 12"), handshake_with("Version: 13", "Version: 013")});
}

TEST_F(HandshakeBytesTest, that_are_no_such_request_are_refused) {
  expect("400", {"g key\n", "\r\n\r\n\r\n\r\n", std::string(100, '\0'), "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", handshake_with("GET /", "GET  /"), handshake_with("GET /", "GET"),
                 handshake_with("HTTP/1.1", "HTTP/9.9"), handshake_with("HTTP/1.1\r\n", "HTTP/1.1\n"),
                 handshake_with("no colon"), handshake_with(": no name"), handshake_with("Content-Length: x"),
                 handshake_with(std::string("a: \0b", 5)), std::string(handshake_request) + "more",
                 handshake_with("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "")});
}

TEST_F(HandshakeBytesTest, that_are_too_many_are_refused) {
  expect("431", {handshake_with("a: " + std::string(17'000, 'b')), "GET /" + std::string(17'000, 'b')});
}

TEST_F(HandshakeBytesTest, that_end_too_soon_get_no_answer) {
  for (std::size_t size = 0; size < handshake_request.size(); ++size)
    EXPECT_EQ(status_of(handshake_request.substr(0, size)), "") << size;
}

TEST_F(HandshakeBytesTest, of_a_client_that_has_gone_already_leave_nothing_behind) {
  {
    Peer peer(context());
    const auto connection = accept_web_socket(peer);
    peer.reset();
    connection->serve(SessionId{++last_session_}, "A");
  }
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(server_.registry.size(), 0U);
}

// A byte of the handshake is another, or missing, or there twice; or two are.
TEST_F(HandshakeBytesTest, that_are_nearly_right_leave_nothing_behind_whether_they_are_accepted_or_refused) {
  constexpr int rounds = 3'000;
  std::mt19937 random(1);
  std::set<std::string> seen;
  for (int round = 0; round < rounds; ++round) {
    std::string bytes(handshake_request);
    for (unsigned changes = 1 + random() % 2; changes > 0; --changes) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1);
          break;
        default:
          bytes.insert(at, 1, bytes[at]);
      }
    }
    const std::string status = status_of(bytes);
    EXPECT_TRUE(status != "101" || (bytes.starts_with("GET /") && bytes.ends_with(blank_line))) << bytes;
    seen.insert(status);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "101", "400", "404", "426"}));
}

}  // namespace
}  // namespace lockd::server
