// Bytes to replies, however they are cut.
#include "client/reply_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace lockd {
namespace {

using Lines = std::vector<std::string>;
constexpr std::size_t plenty = 1 << 20;

TEST(ReplyQueue, F5_replies_come_in_the_order_of_the_requests) {
  ReplyQueue queue(plenty);
  const auto first = queue.expect(Framing::line);
  const auto second = queue.expect(Framing::line);
  EXPECT_FALSE(queue.take("1 pong\n"));
  EXPECT_TRUE(first->is_whole);
  EXPECT_FALSE(second->is_whole);
  EXPECT_FALSE(queue.take("1 ok\n"));
  EXPECT_TRUE(second->is_whole);
  EXPECT_EQ(first->lines, Lines{"1 pong"});
  EXPECT_EQ(second->lines, Lines{"1 ok"});
}

TEST(ReplyQueue, bytes_can_be_cut_anywhere) {
  const std::string_view bytes = "1 pong\nx held 1 2 a k\nEND\na: b\n1 pong\n0 disabled\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    ReplyQueue queue(plenty);
    const auto line = queue.expect(Framing::line);
    const auto listing = queue.expect(Framing::until_end);
    const auto classic = queue.expect(Framing::until_pong);
    const auto refused = queue.expect(Framing::until_end);
    for (std::size_t at = 0; at < bytes.size(); at += piece) ASSERT_FALSE(queue.take(bytes.substr(at, piece)));
    EXPECT_EQ(line->lines, Lines{"1 pong"});
    EXPECT_EQ(listing->lines, Lines{"x held 1 2 a k"});
    EXPECT_EQ(classic->lines, Lines{"a: b"});
    EXPECT_TRUE(refused->is_whole);
    EXPECT_EQ(refused->lines, Lines{"0 disabled"});
  }
}

TEST(ReplyQueue, E2_only_the_line_END_ends_a_listing) {
  ReplyQueue queue(plenty);
  const auto listing = queue.expect(Framing::until_end);
  EXPECT_FALSE(queue.take("x held 1 2 a END\n0 late\nEND \n"));
  EXPECT_FALSE(listing->is_whole);
  EXPECT_FALSE(queue.take("END\n"));
  EXPECT_EQ(listing->lines.size(), 3U);
}

TEST(ReplyQueue, an_empty_listing_has_no_lines) {
  ReplyQueue queue(plenty);
  const auto listing = queue.expect(Framing::until_end);
  const auto classic = queue.expect(Framing::until_pong);
  EXPECT_FALSE(queue.take("END\n1 pong\n"));
  EXPECT_TRUE(listing->is_whole && listing->lines.empty());
  EXPECT_TRUE(classic->is_whole && classic->lines.empty());
}

TEST(ReplyQueue, F10_what_nobody_asked_for_is_an_error) {
  ReplyQueue queue(plenty);
  (void)queue.expect(Framing::line);
  const auto error = queue.take("1 pong\n1 \x1b pong\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause, Cause::protocol_error);
  EXPECT_EQ(error->text, R"(the server said without being asked: "1 \x1B pong")");
}

TEST(ReplyQueue, S4_that_the_server_is_full_may_come_before_a_request) {
  ReplyQueue queue(plenty);
  const auto error = queue.take("0 Too Many Connections\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause, Cause::too_many_connections);
}

TEST(ReplyQueue, a_line_that_does_not_end_is_bounded) {
  ReplyQueue queue(1000);
  (void)queue.expect(Framing::line);
  EXPECT_FALSE(queue.take(std::string(1000, 'x')));
  const auto error = queue.take("x");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause, Cause::reply_too_long);
  EXPECT_EQ(error->text, "a reply of more than 1000 bytes");
}

TEST(ReplyQueue, lines_that_do_not_end_are_bounded_also_the_empty_ones) {
  ReplyQueue queue(1000);
  (void)queue.expect(Framing::until_end);
  EXPECT_FALSE(queue.take(std::string(20, '\n')));
  EXPECT_TRUE(queue.take(std::string(20, '\n')));
}

TEST(ReplyQueue, the_bound_is_that_of_each_reply) {
  ReplyQueue queue(100);
  for (int i = 0; i < 10; ++i) {
    (void)queue.expect(Framing::line);
    EXPECT_FALSE(queue.take(std::string(60, 'x') + "\n"));
  }
}

}  // namespace
}  // namespace lockd
