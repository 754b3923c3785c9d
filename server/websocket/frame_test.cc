// Each header by hand from RFC 6455, section 5.2.
#include "server/websocket/frame.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace lockd::server {
namespace {

using namespace std::string_literals;

std::string header_of(const MessagePart& part) {
  std::string outbox = "before";
  append_frame(outbox, part);
  EXPECT_TRUE(outbox.starts_with("before"));
  EXPECT_TRUE(outbox.ends_with(part.payload));
  return outbox.substr(6, outbox.size() - 6 - part.payload.size());
}

TEST(Frame, the_length_is_in_as_few_bytes_as_it_fits) {
  const auto header_for = [](std::size_t size) {
    const std::string payload(size, 'x');
    return header_of({.payload = payload});
  };
  EXPECT_EQ(header_for(0), "\x81\0"s);
  EXPECT_EQ(header_for(125), "\x81\x7D"s);
  EXPECT_EQ(header_for(126), "\x81\x7E\0\x7E"s);
  EXPECT_EQ(header_for(65535), "\x81\x7E\xFF\xFF"s);
  EXPECT_EQ(header_for(65536), "\x81\x7F\0\0\0\0\0\x01\0\0"s);
  EXPECT_EQ(header_for(0x123456), "\x81\x7F\0\0\0\0\0\x12\x34\x56"s);
}

TEST(Frame, the_first_part_says_what_a_message_is_and_the_last_that_it_ends) {
  EXPECT_EQ(header_of({.payload = "a", .is_binary = true}), "\x82\1"s);
  EXPECT_EQ(header_of({.payload = "a", .is_binary = true, .is_last = false}), "\2\1"s);
  EXPECT_EQ(header_of({.payload = "a", .is_binary = true, .is_first = false, .is_last = false}), "\0\1"s);
  EXPECT_EQ(header_of({.payload = "a", .is_binary = true, .is_first = false}), "\x80\1"s);
}

}  // namespace
}  // namespace lockd::server
