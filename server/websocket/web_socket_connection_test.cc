// Ends of WebSockets that come at a bad moment: with replies waiting, with turns to take, with no room for an answer.
#include "server/websocket/web_socket_connection.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/websocket/frame.h"
#include "server/websocket/test_web_socket.h"

namespace lockd::server {
namespace {

const std::string broken_frame("\x83\x80\0\0\0\0", 6);  // of a kind that there is not

class WebSocketConnectionTest : public testing::Test, protected WebSocketWorker {
 protected:
  std::uint64_t keys_of(LockKind kind) const { return server_.table.key_count(kind); }
  std::uint64_t waiters() const { return server_.table.totals()[LockKind::exclusive].waiters; }
  std::uint64_t executed(Verb verb) const {
    return server_.statistics[0].commands[static_cast<std::size_t>(verb)].value();
  }

  /// All of it, whether or not the peer is read meanwhile; the peer reads nothing.
  void send(Peer& peer, std::string_view bytes) {
    std::size_t sent = 0;
    ASSERT_TRUE(run_until([&] { return (sent += peer.send_some(bytes.substr(sent))) == bytes.size(); }));
  }

  /// The peer takes so many shared locks, reading along.
  void take_locks(Peer& peer, std::size_t count) {
    std::string requests;
    std::string replies;
    for (std::size_t i = 0; i < count; ++i) {
      requests += frame("sg " + std::to_string(i));
      append_frame(replies, {.payload = "1 Shared Lock Get Success: " + std::to_string(i)});
    }
    ASSERT_EQ(exchange(peer, requests, replies.size()), replies);
    std::string().swap(peer.received);
  }

  /// The last message that has come when this one's reply has.
  std::string ask(Peer& peer, std::string_view request) {
    send(peer, frame(request));
    std::string reply;
    read_until(peer, [&](const Received& received) {
      if (!received.messages.empty()) reply = received.messages.back();
      return reply.starts_with("1 ") || reply.starts_with("0 ");
    });
    peer.received.clear();
    return reply;
  }

  /// So many keys of 1,000 bytes are held by somebody else.
  void hold_long_keys(Peer& peer, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string key = std::to_string(i) + std::string(996, '.');
      ASSERT_EQ(ask(peer, "g " + key), "1 Lock Get Success: " + key);
    }
  }

  /// Until all that was sent is read, as far as it is at all.
  void run_what_is_due() {
    for (int idle = 0; idle < 3; ++idle)
      while (context().poll() > 0) idle = 0;
  }

  bool has_no_session() {
    return run_until([&] { return server_.registry.size() == 0; });
  }
};

TEST_F(WebSocketConnectionTest, F5_the_replies_to_what_comes_at_once_leave_in_one_write) {
  constexpr std::size_t count = 100;
  Peer peer(context());
  ASSERT_TRUE(open(peer));
  std::string requests;
  for (std::size_t i = 0; i < count; ++i) requests += frame("ping");
  ASSERT_EQ(peer.send_some(requests), requests.size());
  std::size_t arrivals = 0;  // the peer looks after each handler
  ASSERT_TRUE(read_until(peer, [&, seen = std::size_t{0}](const Received& received) mutable {
    if (std::exchange(seen, peer.received.size()) != peer.received.size()) ++arrivals;
    return received.messages.size() == count;
  }));
  EXPECT_EQ(arrivals, 1U);
}

TEST_F(WebSocketConnectionTest, S3_a_slow_reader_sees_its_close_answered_when_the_locks_are_free) {
  constexpr std::size_t lock_count = 30'000;
  constexpr std::uint64_t unread = 60;  // replies of 1,000 bytes, some of which the kernel does not take
  Peer peer(context());
  ASSERT_TRUE(open(peer));
  take_locks(peer, lock_count);
  for (std::uint64_t i = 0; i < unread; ++i) send(peer, frame("i " + std::string(1000, 'k')));
  ASSERT_TRUE(run_until([&] { return executed(Verb::inspect) == unread; }));
  send(peer, close_frame());
  std::size_t locks_left = 0;
  ASSERT_TRUE(read_until(peer, [&](const Received& received) {
    locks_left = keys_of(LockKind::shared);
    return received.close_code.has_value();
  }));
  EXPECT_EQ(locks_left, 0U);
  const Received received = parse_frames(peer.received);
  EXPECT_EQ(received.messages.size(), unread);
  EXPECT_EQ(received.close_code, 1000);
  EXPECT_TRUE(run_until_over());
}

TEST_F(WebSocketConnectionTest, S3_replies_owed_come_before_the_answer_to_a_close_that_was_read_ahead) {
  constexpr std::size_t key_count = 300;
  server_.settings.output_bytes_max = 20'000;
  Peer holder(context());
  ASSERT_TRUE(open(holder));
  hold_long_keys(holder, key_count);
  ASSERT_EQ(ask(holder, "g k"), "1 Lock Get Success: k");
  Peer peer(context());
  ASSERT_TRUE(open(peer));
  send(peer, frame("gw 60000 k") + frame("g mine") + frame("d"));
  ASSERT_TRUE(run_until([&] { return waiters() == 1; }));
  ASSERT_EQ(ask(holder, "ping"), "1 pong");
  ASSERT_EQ(ask(holder, "r k"), "1 Lock Release Success: k");
  ASSERT_TRUE(run_until([&] { return executed(Verb::list_locks) == 1; }));
  send(peer, close_frame());
  run_what_is_due();
  const Received received = read_to_close(peer);
  ASSERT_EQ(received.messages.size(), 3U);
  EXPECT_EQ(received.messages[0], "1 Lock Get Success: k");
  EXPECT_EQ(received.messages[1], "1 Lock Get Success: mine");
  EXPECT_GT(received.messages[2].size(), key_count * 1000);
  EXPECT_EQ(received.close_code, 1000);
  EXPECT_EQ(keys_of(LockKind::exclusive), key_count);
}

// The frame that breaks a rule is read while there is room for replies no more, and the session waits.
TEST_F(WebSocketConnectionTest, W4_a_reply_owed_comes_before_a_close_that_says_which_rule_was_broken) {
  constexpr std::size_t unread = 186;
  constexpr std::size_t kept = 55;
  server_.settings.output_bytes_max = 200'000;
  Peer holder(context());
  Peer peer(context());
  ASSERT_TRUE(open(peer) && open(holder));
  for (const std::string key : {"k", "l"}) ASSERT_EQ(ask(holder, "g " + key), "1 Lock Get Success: " + key);
  const std::string inspect = frame("i " + std::string(1000, 'i'));
  for (std::size_t i = 0; i < unread; ++i) send(peer, inspect);
  send(peer, frame("gw 60000 k"));
  for (std::size_t i = 0; i < kept; ++i) send(peer, inspect);
  send(peer, frame("gw 60000 l"));
  ASSERT_TRUE(run_until([&] { return executed(Verb::inspect) == unread && waiters() == 1; }));
  run_what_is_due();
  ASSERT_EQ(ask(holder, "r k"), "1 Lock Release Success: k");
  ASSERT_TRUE(run_until([&] { return executed(Verb::get_wait) == 2; }));
  send(peer, broken_frame);
  ASSERT_EQ(ask(holder, "ping"), "1 pong");
  ASSERT_EQ(ask(holder, "r l"), "1 Lock Release Success: l");
  const Received received = read_to_close(peer);
  EXPECT_EQ(received.close_code, 1002);
  ASSERT_EQ(received.messages.size(), unread + kept + 2);
  EXPECT_EQ(received.messages.back(), "1 Lock Get Success: l");
  EXPECT_EQ(keys_of(LockKind::exclusive), 0U);
}

TEST_F(WebSocketConnectionTest, S2_a_frame_that_breaks_the_rules_ends_a_wait) {
  Peer holder(context());
  ASSERT_TRUE(open(holder));
  ASSERT_EQ(ask(holder, "g k"), "1 Lock Get Success: k");
  struct Case {
    std::string bytes;
    int code;
  };
  const std::vector<Case> cases{
      {broken_frame, 1002},
      {frame("g \xFF"), 1007},                                      // a text that is no UTF-8
      {std::string("\x81\xFF\0\0\0\1\0\0\0\0\0\0\0\0", 14), 1009},  // 4 GiB to come
  };
  for (const Case& broken : cases) {
    Peer peer(context());
    ASSERT_TRUE(open(peer));
    ASSERT_EQ(ask(peer, "g mine"), "1 Lock Get Success: mine");
    send(peer, frame("gw 60000 k") + frame("ping"));
    ASSERT_TRUE(run_until([&] { return waiters() == 1; }));
    send(peer, broken.bytes);
    const Received received = read_to_close(peer);
    EXPECT_EQ(received.close_code, broken.code);
    EXPECT_TRUE(received.messages.empty());
    EXPECT_EQ(waiters(), 0U);
    EXPECT_EQ(keys_of(LockKind::exclusive), 1U);
  }
}

TEST_F(WebSocketConnectionTest, S2_the_session_ends_where_the_output_has_no_room_for_the_answer_to_a_close) {
  for (std::size_t output_bytes_max = 1; output_bytes_max <= 6; ++output_bytes_max) {
    server_.settings.output_bytes_max = output_bytes_max;
    Peer peer(context());
    ASSERT_TRUE(open(peer));
    ASSERT_EQ(ask(peer, "g mine"), "1 Lock Get Success: mine");
    send(peer, close_frame());
    EXPECT_EQ(read_to_close(peer).close_code, 1000) << output_bytes_max;
    EXPECT_EQ(keys_of(LockKind::exclusive), 0U);
    EXPECT_TRUE(has_no_session());
    peer.socket.close();
    ASSERT_TRUE(run_until_over());
  }
}

TEST_F(WebSocketConnectionTest, S2_a_close_behind_as_many_replies_as_are_kept_ends_the_session) {
  const std::string key(1000, 'k');
  server_.settings.output_bytes_max = 20'000;
  for (std::size_t longer = 0; longer < 1'100; longer += 13) {  // whatever room is left
    Peer peer(context());
    ASSERT_TRUE(open(peer));
    ASSERT_EQ(ask(peer, "g mine"), "1 Lock Get Success: mine");
    std::string requests = frame("i " + key + std::string(longer, 'l'));
    for (int i = 0; i < 60; ++i) requests += frame("i " + key);
    send(peer, requests + close_frame());
    const Received received = read_to_close(peer);
    EXPECT_EQ(received.close_code, 1000);
    EXPECT_EQ(received.messages.size(), 61U);
    ASSERT_EQ(keys_of(LockKind::exclusive), 0U) << longer;
  }
}

}  // namespace
}  // namespace lockd::server
