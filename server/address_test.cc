// How addresses are written (R1), and which listening addresses are understood.
#include "server/address.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using UnixEndpoint = asio::local::stream_protocol::endpoint;

constexpr SessionId session{42};

StreamProtocol::endpoint tcp_endpoint(const char* host, std::uint16_t port) {
  return tcp::endpoint(asio::ip::make_address(host), port);
}

// ---- peers ----

TEST(PeerAddress, R1_an_IPv4_address_and_its_port) {
  EXPECT_EQ(peer_address(tcp_endpoint("127.0.0.1", 40123), session), "127.0.0.1:40123");
  EXPECT_EQ(peer_address(tcp_endpoint("10.20.30.255", 1), session), "10.20.30.255:1");
  EXPECT_EQ(peer_address(tcp_endpoint("255.255.255.255", 65535), session), "255.255.255.255:65535");
}

TEST(PeerAddress, R1_an_IPv6_address_in_the_form_of_RFC_5952) {
  struct Case {
    const char* host;
    const char* written;
  };
  const std::vector<Case> cases = {
      {"::1", "[::1]:7"},
      {"2001:0db8:0000:0000:0000:0000:0002:0001", "[2001:db8::2:1]:7"},  // 4.1: no leading zeros
      {"2001:DB8::ABCD", "[2001:db8::abcd]:7"},                          // 4.3: lower case
      {"2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:7"},              // 4.2.2: one field is not shortened
      {"2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]:7"},                       // 4.2.3: the longest run is
      {"2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:7"},                 // 4.2.3: of two alike the first
      {"1:2:3:4:5:6:7:0", "[1:2:3:4:5:6:7:0]:7"},
      {"1:0:0:0:0:0:0:0", "[1::]:7"},
      {"fe80::1:2:3:4", "[fe80::1:2:3:4]:7"},
  };
  for (const auto& [host, written] : cases) EXPECT_EQ(peer_address(tcp_endpoint(host, 7), session), written);
}

TEST(PeerAddress, R1_a_v4_mapped_address_as_IPv4) {
  EXPECT_EQ(peer_address(tcp_endpoint("::ffff:192.0.2.33", 80), session), "192.0.2.33:80");
  EXPECT_EQ(peer_address(tcp_endpoint("::ffff:127.0.0.1", 65535), session), "127.0.0.1:65535");
  EXPECT_EQ(peer_address(tcp_endpoint("::fffe:192.0.2.33", 80), session), "[::fffe:c000:221]:80");
}

TEST(PeerAddress, R1_a_Unix_socket_has_the_sessions_number) {
  EXPECT_EQ(peer_address(UnixEndpoint(""), session), "unix:42");
  EXPECT_EQ(peer_address(UnixEndpoint("/a/client's own"), SessionId{UINT64_MAX}), "unix:18446744073709551615");
}

// ---- listening addresses ----

TEST(ListenUri, of_TCP_has_a_host_and_a_port) {
  const ListenUri v4 = parse_listen_uri("tcp://127.0.0.1:9999");
  EXPECT_FALSE(v4.is_unix);
  EXPECT_EQ(v4.host, "127.0.0.1");
  EXPECT_EQ(v4.port, "9999");
  const ListenUri v6 = parse_listen_uri("tcp://[2001:db8::1]:0");
  EXPECT_EQ(v6.host, "2001:db8::1");
  EXPECT_EQ(v6.port, "0");
  const ListenUri name = parse_listen_uri("tcp://locks.example.org:65535");
  EXPECT_EQ(name.host, "locks.example.org");
  EXPECT_EQ(name.port, "65535");
}

TEST(ListenUri, of_a_Unix_socket_has_an_absolute_path) {
  const ListenUri uri = parse_listen_uri("unix:///run/lockd/lockd.sock");
  EXPECT_TRUE(uri.is_unix);
  EXPECT_EQ(uri.path, "/run/lockd/lockd.sock");
  EXPECT_EQ(parse_listen_uri("unix:///with blanks:and [brackets]").path, "/with blanks:and [brackets]");
}

TEST(ListenUri, of_WebSockets_has_a_path_which_may_be_left_out) {
  const ListenUri uri = parse_listen_uri("ws://[::1]:80/locks/of%20all");
  EXPECT_FALSE(uri.is_unix);
  EXPECT_EQ(uri.host, "::1");
  EXPECT_EQ(uri.port, "80");
  EXPECT_EQ(uri.websocket_path, "/locks/of%20all");
  EXPECT_EQ(parse_listen_uri("ws://localhost:0").websocket_path, "/");
  EXPECT_EQ(parse_listen_uri("tcp://localhost:0").websocket_path, std::nullopt);
}

struct BadUri {
  const char* uri;
  const char* message;
};

class BadListenUri : public testing::TestWithParam<BadUri> {};

constexpr const char* no_scheme = "expected tcp://HOST:PORT, unix:///PATH or ws://HOST:PORT/PATH";
constexpr const char* no_host_or_port = "expected tcp://HOST:PORT";
constexpr const char* bad_port = "the port must be a number from 0 to 65535";
constexpr const char* no_brackets = "an IPv6 address goes in brackets: [::1]:PORT";
constexpr const char* no_web_host_or_port = "expected ws://HOST:PORT or ws://HOST:PORT/PATH";
constexpr const char* bad_web_path = "the path is written as in a URI, and has no ? or #";
constexpr const char* relative = "the path of a socket is absolute: unix:///PATH";

INSTANTIATE_TEST_SUITE_P(schemes, BadListenUri,
                         testing::Values(BadUri{"", no_scheme}, BadUri{"9999", no_scheme},
                                         BadUri{"127.0.0.1:9999", no_scheme},
                                         BadUri{"http://127.0.0.1:9999", no_scheme},
                                         BadUri{"tcp:127.0.0.1:9999", no_scheme}, BadUri{"/run/lockd.sock", no_scheme},
                                         BadUri{" tcp://127.0.0.1:9999", no_scheme}));
INSTANTIATE_TEST_SUITE_P(hosts, BadListenUri,
                         testing::Values(BadUri{"tcp://", no_host_or_port}, BadUri{"tcp://:9999", no_host_or_port},
                                         BadUri{"tcp://127.0.0.1", no_host_or_port},
                                         BadUri{"tcp://::1:9999", no_brackets}, BadUri{"tcp://[::1:9999", no_brackets},
                                         BadUri{"tcp://::1]:9999", no_brackets}));
INSTANTIATE_TEST_SUITE_P(ports, BadListenUri,
                         testing::Values(BadUri{"tcp://127.0.0.1:", bad_port},
                                         BadUri{"tcp://127.0.0.1:65536", bad_port},
                                         BadUri{"tcp://127.0.0.1:99999999999999999999", bad_port},
                                         BadUri{"tcp://127.0.0.1:-1", bad_port}, BadUri{"tcp://127.0.0.1:+1", bad_port},
                                         BadUri{"tcp://127.0.0.1: 1", bad_port}, BadUri{"tcp://127.0.0.1:1 ", bad_port},
                                         BadUri{"tcp://127.0.0.1:http", bad_port},
                                         BadUri{"tcp://127.0.0.1:80/", bad_port}, BadUri{"tcp://[::1]", bad_port},
                                         BadUri{"tcp://127.0.0.1:0x50", bad_port}));
INSTANTIATE_TEST_SUITE_P(paths, BadListenUri,
                         testing::Values(BadUri{"unix://", relative}, BadUri{"unix://lockd.sock", relative},
                                         BadUri{"unix://./lockd.sock", relative}));
INSTANTIATE_TEST_SUITE_P(
    websockets, BadListenUri,
    testing::Values(BadUri{"ws://", no_web_host_or_port}, BadUri{"ws://127.0.0.1/", no_web_host_or_port},
                    BadUri{"ws://:1/a", no_web_host_or_port}, BadUri{"ws://127.0.0.1:http/a", bad_port},
                    BadUri{"ws://::1:80", no_brackets}, BadUri{"ws://a:1/b?c", bad_web_path},
                    BadUri{"ws://a:1/b#c", bad_web_path}, BadUri{"ws://a:1/b c", bad_web_path},
                    BadUri{"ws://a:1/\xc3\xa9", bad_web_path}, BadUri{"ws://a:1/\x7f", bad_web_path},
                    BadUri{"wss://a:1/", "TLS is for a proxy before lockd, which listens at ws://HOST:PORT"}));

TEST_P(BadListenUri, is_refused_with_what_is_wrong) {
  try {
    parse_listen_uri(GetParam().uri);
    ADD_FAILURE() << GetParam().uri << " was accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), GetParam().message) << GetParam().uri;
  }
}

// A host that is empty, brackets or not, would be resolved to every address of the machine: nothing listens to the
// outside unless asked.
TEST(ListenUri, with_empty_brackets_is_refused) {
  EXPECT_THROW(parse_listen_uri("tcp://[]:9999"), std::invalid_argument);
}

TEST(ListenUri, is_written_as_it_was_read) {
  for (const char* uri : {"tcp://127.0.0.1:9999", "tcp://[::1]:40123", "tcp://[2001:db8::a]:1", "unix:///run/l.sock"}) {
    const auto endpoints = resolve(parse_listen_uri(uri));
    ASSERT_EQ(endpoints.size(), 1U) << uri;
    EXPECT_EQ(listen_uri(endpoints.front()), uri);
  }
}

TEST(ListenUri, of_WebSockets_is_written_as_it_was_read) {
  for (const char* uri : {"ws://127.0.0.1:9999/", "ws://[::1]:1/locks"}) {
    const ListenUri parsed = parse_listen_uri(uri);
    EXPECT_EQ(listen_uri(resolve(parsed).at(0), parsed.websocket_path), uri);
  }
}

TEST(ListenUri, resolves_a_name) {
  const auto endpoints = resolve(parse_listen_uri("tcp://localhost:9999"));
  ASSERT_FALSE(endpoints.empty());
  for (const auto& endpoint : endpoints) {
    const std::string uri = listen_uri(endpoint);
    EXPECT_TRUE(uri == "tcp://127.0.0.1:9999" || uri == "tcp://[::1]:9999") << uri;
  }
}

TEST(ListenUri, with_a_name_that_nobody_has_does_not_resolve) {
  EXPECT_THROW(resolve(parse_listen_uri("tcp://no-such-host.invalid:9999")), std::runtime_error);
}

TEST(ListenUri, with_a_path_too_long_for_a_socket_does_not_resolve) {
  const std::string longest = "/" + std::string(106, 'p');  // 108 bytes of sun_path with its NUL
  EXPECT_EQ(listen_uri(resolve(parse_listen_uri("unix://" + longest)).at(0)), "unix://" + longest);
  EXPECT_THROW(resolve(parse_listen_uri("unix://" + longest + "pp")), std::runtime_error);
}

}  // namespace
}  // namespace lockd::server
