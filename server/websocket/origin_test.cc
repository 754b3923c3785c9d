// Origins as operators may write them.
#include "server/websocket/origin.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

TEST(Origin, as_browsers_send_it_is_taken) {
  for (const char* origin : {"https://example.com", "http://localhost:8000", "http://127.0.0.1:1",
                             "https://a-b.c_d.example:65535", "http://[::1]", "http://[2001:db8::1]:8080",
                             "other://a:443", "chrome-extension://abcdefghijklmnop", "https://xn--bcher-kva.example"})
    EXPECT_EQ(check_origin(origin), "") << origin;
}

struct BadOrigin {
  const char* origin;
  const char* word;  // of what is said about it
};

class Origin : public testing::TestWithParam<BadOrigin> {};

INSTANTIATE_TEST_SUITE_P(
    forms, Origin,
    testing::Values(BadOrigin{"", "expected"}, BadOrigin{"example.com", "expected"},
                    BadOrigin{"https:/example.com", "expected"}, BadOrigin{"://example.com", "expected"},
                    BadOrigin{"https://", "expected"}, BadOrigin{"9p://example.com", "expected"},
                    BadOrigin{"https://exa mple.com", "expected"}, BadOrigin{"https://*.example.com", "expected"},
                    BadOrigin{"https://user@example.com", "expected"}, BadOrigin{"http://::1", "expected"},
                    BadOrigin{"http://[::1", "expected"}, BadOrigin{"http://[::1x:80", "expected"},
                    BadOrigin{"http://[::g]", "expected"}, BadOrigin{"http://[]", "expected"},
                    BadOrigin{"https://:443", "expected"}));
INSTANTIATE_TEST_SUITE_P(what_browsers_do_not_send, Origin,
                         testing::Values(BadOrigin{"https://Example.com", "small letters"},
                                         BadOrigin{"HTTPS://example.com", "small letters"},
                                         BadOrigin{"https://example.com/", "ends with its host"},
                                         BadOrigin{"https://example.com?a", "ends with its host"},
                                         BadOrigin{"https://example.com#a", "ends with its host"},
                                         BadOrigin{"https://example.com:443", "leave out"},
                                         BadOrigin{"http://example.com:80", "leave out"}));
INSTANTIATE_TEST_SUITE_P(ports, Origin,
                         testing::Values(BadOrigin{"https://a:", "port"}, BadOrigin{"https://a:0", "port"},
                                         BadOrigin{"https://a:65536", "port"}, BadOrigin{"https://a:08", "port"},
                                         BadOrigin{"https://a:b", "port"}, BadOrigin{"https://a:8b", "port"},
                                         BadOrigin{"http://[::1]:x", "port"}));
INSTANTIATE_TEST_SUITE_P(all_pages, Origin, testing::Values(BadOrigin{"null", "any page"}, BadOrigin{"*", "each"}));

TEST_P(Origin, that_could_never_match_is_refused_with_what_is_wrong) {
  EXPECT_NE(check_origin(GetParam().origin).find(GetParam().word), std::string::npos)
      << GetParam().origin << ": " << check_origin(GetParam().origin);
}

}  // namespace
}  // namespace lockd::server
