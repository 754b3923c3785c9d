// Which addresses of servers are understood.
#include "client/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace lockd {
namespace {

TEST(Uri, of_TCP_has_a_host_and_a_port) {
  const Address v4 = parse_uri("tcp://127.0.0.1:9999").value();
  EXPECT_FALSE(v4.is_unix);
  EXPECT_EQ(v4.host, "127.0.0.1");
  EXPECT_EQ(v4.port, "9999");
  const Address v6 = parse_uri("tcp://[2001:db8::1]:1").value();
  EXPECT_EQ(v6.host, "2001:db8::1");
  EXPECT_EQ(v6.port, "1");
  EXPECT_EQ(parse_uri("tcp://locks.example.org:65535").value().host, "locks.example.org");
}

TEST(Uri, of_a_Unix_socket_has_an_absolute_path) {
  const Address address = parse_uri("unix:///with blanks:and [brackets]").value();
  EXPECT_TRUE(address.is_unix);
  EXPECT_EQ(address.path, "/with blanks:and [brackets]");
}

struct BadUri {
  std::string uri;
  std::string why;
};

class BadUris : public testing::TestWithParam<BadUri> {};

const std::string no_scheme = "expected tcp://HOST:PORT or unix:///PATH";
const std::string no_host_or_port = "expected tcp://HOST:PORT";
const std::string bad_port = "the port must be a number from 1 to 65535";
const std::string no_brackets = "an IPv6 address goes in brackets: tcp://[::1]:PORT";
const std::string relative = "the path of a socket is absolute: unix:///PATH";

INSTANTIATE_TEST_SUITE_P(
    all, BadUris,
    testing::Values(BadUri{"", no_scheme}, BadUri{"127.0.0.1:9999", no_scheme}, BadUri{"http://a:1", no_scheme},
                    BadUri{"/run/lockd.sock", no_scheme}, BadUri{" tcp://127.0.0.1:9999", no_scheme},
                    BadUri{"tcp://", no_host_or_port}, BadUri{"tcp://:9999", no_host_or_port},
                    BadUri{"tcp://[]:9999", no_host_or_port}, BadUri{"tcp://127.0.0.1", no_host_or_port},
                    BadUri{"tcp://::1:9999", no_brackets}, BadUri{"tcp://[::1:9999", no_brackets},
                    BadUri{"tcp://127.0.0.1:", bad_port}, BadUri{"tcp://127.0.0.1:0", bad_port},
                    BadUri{"tcp://127.0.0.1:65536", bad_port}, BadUri{"tcp://127.0.0.1:-1", bad_port},
                    BadUri{"tcp://127.0.0.1:80/", bad_port}, BadUri{"tcp://[::1]", bad_port},
                    BadUri{"unix://", relative}, BadUri{"unix://lockd.sock", relative},
                    BadUri{"unix:///run/", "the path of a socket names a file"}));

TEST_P(BadUris, are_refused_with_what_is_wrong) {
  const auto parsed = parse_uri(GetParam().uri);
  ASSERT_TRUE(parsed.failed_by(Cause::bad_argument)) << GetParam().uri;
  EXPECT_EQ(parsed.error().text, GetParam().uri + ": " + GetParam().why);
}

TEST(Uri, with_a_NUL_is_refused) {
  EXPECT_TRUE(parse_uri(std::string_view("tcp://a\0b:1", 11)).failed_by(Cause::bad_argument));
}

}  // namespace
}  // namespace lockd
