// The pump between a socket and a session, over loopback: what a peer sees, and that every end frees the locks.
#include "server/connection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "server/peer_options.h"
#include "server/test_connection.h"

namespace lockd::server {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class ConnectionTest : public testing::Test, protected LoopbackWorker {
 protected:
  // The peer sends this and gets just that.
  void expect_replies(Peer& peer, std::string_view requests, std::string_view replies) {
    EXPECT_EQ(exchange(peer, requests, replies.size()), replies);
  }
};

TEST_F(ConnectionTest, F5_requests_are_answered_in_order) {
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\nd a\nr a\nping\n", "1 Lock Get Success: a\na: A1\n1 Lock Release Success: a\n1 pong\n");
  expect_replies(peer, "g", "");
  expect_replies(peer, " b\n", "1 Lock Get Success: b\n");
}

TEST_F(ConnectionTest, F10_the_server_does_not_speak_first) {
  Peer peer(context());
  serve(peer);
  context().run_for(50ms);
  peer.read();
  EXPECT_EQ(peer.received, "");
  EXPECT_FALSE(peer.ended);
}

TEST_F(ConnectionTest, F5_a_peer_that_does_not_read_is_not_read_either_and_loses_nothing) {
  server_.settings.output_bytes_max = 100'000;
  Peer peer(context());
  serve(peer);
  const std::string requests = "i " + std::string(1000, 'k') + "\n";
  const std::string reply = "0 Lock Not Locked: " + std::string(1000, 'k') + "\n";
  std::string stream;
  for (int i = 0; i < 60; ++i) stream += requests;
  std::size_t sent = 0;
  const auto stall = [&] {
    const auto stalled_since = Clock::now();
    const std::size_t before = sent;
    while (Clock::now() < stalled_since + 200ms) {
      sent += peer.send_some(std::string_view(stream).substr(sent % stream.size()));
      context().poll();
    }
    return sent == before;
  };
  for (int i = 0; i < 50 && !stall(); ++i) continue;
  ASSERT_TRUE(stall()) << "the kernel's buffers fill up, for nobody reads";
  const std::uint64_t executed = server_.statistics[0].commands[static_cast<std::size_t>(Verb::inspect)].value();
  EXPECT_LT(executed, sent / requests.size()) << "not all that was sent was executed";
  ASSERT_TRUE(run_until([&] {
    peer.read();
    return peer.received.size() >= sent / requests.size() * reply.size();
  }));
  ASSERT_EQ(peer.received.size(), sent / requests.size() * reply.size());
  for (std::size_t at = 0; at < peer.received.size(); at += reply.size()) {
    ASSERT_EQ(peer.received.compare(at, reply.size(), reply), 0);
  }
}

// ---- S2, S3: the ends ----

TEST_F(ConnectionTest, S2_a_close_frees_the_locks) {
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\n", "1 Lock Get Success: a\n");
  peer.socket.close();
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(keys(), 0U);
  EXPECT_EQ(server_.registry.size(), 0U);
  EXPECT_EQ(server_.table.orphan_count(LockKind::exclusive), 1U);
}

TEST_F(ConnectionTest, S2_a_reset_frees_the_locks_even_with_replies_unread) {
  Peer peer(context());
  serve(peer);
  std::string requests = "g a\n";
  for (int i = 0; i < 1000; ++i) requests += "d\nping\n";
  ASSERT_EQ(peer.send_some(requests), requests.size());
  ASSERT_TRUE(run_until([&] { return keys() == 1; }));
  peer.reset();
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(keys(), 0U);
  EXPECT_EQ(server_.registry.size(), 0U);
}

TEST_F(ConnectionTest, S2_a_session_with_many_locks_ends_in_turns) {
  Peer peer(context());
  serve(peer);
  std::string requests;
  for (int i = 0; i < 5000; ++i) requests += "sg " + std::to_string(i) + "\n";
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    sent += peer.send_some(std::string_view(requests).substr(sent));
    peer.read();
    return server_.table.key_count(LockKind::shared) == 5000;
  }));
  peer.socket.close();
  bool seen_in_between = false;
  EXPECT_TRUE(run_until([&] {
    const std::uint64_t left = server_.table.key_count(LockKind::shared);
    seen_in_between = seen_in_between || (left > 0 && left < 5000);
    return connection_count_ == 0;
  }));
  EXPECT_TRUE(seen_in_between);
  EXPECT_EQ(server_.table.orphan_count(LockKind::shared), 5000U);
}

TEST_F(ConnectionTest, S3_a_half_close_is_answered_to_the_last_whole_request) {
  Peer peer(context());
  serve(peer);
  ASSERT_GT(peer.send_some("g a\nd\nsg b\ng unterminated"), 0U);
  peer.socket.shutdown(tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] {
    peer.read();
    return peer.ended;
  }));
  EXPECT_EQ(peer.received, "1 Lock Get Success: a\na: A1\n1 Shared Lock Get Success: b\n");
  EXPECT_FALSE(peer.was_reset);
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(keys(), 0U);
}

TEST_F(ConnectionTest, S3_replies_that_wait_are_sent_after_the_end_the_locks_being_free_by_then) {
  worker_.peer_timeout = 60s;  // the peer sends all before it reads, however long that takes
  Peer peer(context());
  serve(peer);
  const std::string request = "g " + std::string(1000, 'k') + "\n";
  const std::string reply = "1 Lock Get Success: " + std::string(1000, 'k') + "\n";
  std::string requests;
  for (int i = 0; i < 900; ++i) requests += request;  // their replies stay under the bound of 1 MiB
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    sent += peer.send_some(std::string_view(requests).substr(sent));
    return sent == requests.size();
  }));
  peer.socket.shutdown(tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] { return server_.registry.size() == 0; }));
  EXPECT_EQ(keys(), 0U);
  // With a window that small it is up to the kernel's timers whether all comes within those 2 s.
  peer.socket.set_option(boost::asio::socket_base::receive_buffer_size(1 << 20));
  ASSERT_TRUE(run_until([&] {
    peer.read();
    return peer.ended;
  }));
  EXPECT_EQ(peer.received.size(), 900 * reply.size());
  EXPECT_FALSE(peer.was_reset);
  EXPECT_TRUE(run_until_over());
}

TEST_F(ConnectionTest, S3_for_2_seconds_and_no_longer) {
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\nping\n", "1 Lock Get Success: a\n1 pong\n");
  ASSERT_EQ(peer.send_some("quit\n"), 5U);
  const auto begin = Clock::now();
  EXPECT_TRUE(run_until([&] { return keys() == 0; }));
  EXPECT_EQ(connection_count_.load(), 1U) << "the lock is free before that";
  EXPECT_TRUE(run_until_over()) << "although the peer does not close";
  EXPECT_GE(Clock::now() - begin, 1900ms);
}

TEST_F(ConnectionTest, S2_a_peer_that_takes_no_bytes_for_the_peer_timeout_is_ended) {
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\n", "1 Lock Get Success: a\n");
  const std::string request = "i " + std::string(1000, 'k') + "\n";
  const auto begin = Clock::now();
  EXPECT_TRUE(run_until([&] {
    peer.send_some(request);  // and never reads
    return keys() == 0;
  }));
  EXPECT_GE(Clock::now() - begin, 1s);
  EXPECT_TRUE(run_until_over());
}

TEST_F(ConnectionTest, S2_replies_that_only_the_kernel_still_has_count_too) {
  worker_.peer_timeout = 1h;  // so that nothing but the socket's options can end it
  Peer peer(context());
  peer.connect(acceptor_.local_endpoint());
  Socket socket(context(), StreamProtocol(AF_INET, IPPROTO_TCP), acceptor_.accept().release());
  set_peer_options(socket, 1s);
  PolledSocket polled(worker_.poller, socket.release());
  std::make_shared<Connection<engine::NullMutex>>(worker_, std::move(polled), connection_count_)
      ->serve(SessionId{1}, "A1");
  expect_replies(peer, "g a\n", "1 Lock Get Success: a\n");
  for (int i = 0; i < 30; ++i) peer.send_some("i " + std::string(1000, 'k') + "\n");
  EXPECT_TRUE(run_until([&] { return keys() == 0; }));
  EXPECT_TRUE(run_until_over());
}

TEST_F(ConnectionTest, S2_a_slow_peer_that_takes_some_is_not) {
  worker_.peer_timeout = 4s;  // far longer than the kernel's pauses between probes of a window that was closed
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\n", "1 Lock Get Success: a\n");
  std::string requests;
  for (int i = 0; i < 60; ++i) requests += "i " + std::string(1000, 'k') + "\n";
  const auto begin = Clock::now();
  std::size_t sent = 0;
  auto last_read = begin;
  ASSERT_TRUE(run_until([&] {
    sent += peer.send_some(std::string_view(requests).substr(sent % requests.size()));
    if (Clock::now() > last_read + 300ms) {
      peer.read();
      last_read = Clock::now();
    }
    return Clock::now() > begin + 5500ms;
  }));
  EXPECT_FALSE(peer.ended);
  EXPECT_EQ(keys(), 1U);
}

TEST_F(ConnectionTest, S2_silence_is_no_reason_to_end) {
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "g a\n", "1 Lock Get Success: a\n");
  context().run_for(1500ms);  // more than the peer timeout
  EXPECT_EQ(keys(), 1U);
  expect_replies(peer, "r a\n", "1 Lock Release Success: a\n");
}

TEST_F(ConnectionTest, E4_F11_quit_and_browsers_lose_no_reply_though_more_was_sent) {
  for (const std::string_view last : {"quit\n", "GET / HTTP/1.1\r\n"}) {
    Peer peer(context());
    serve(peer);
    const std::string requests = "g a\nping\n" + std::string(last) + std::string(20'000, 'x') + "\ng b\n";
    ASSERT_EQ(peer.send_some(requests), requests.size());
    ASSERT_TRUE(run_until([&] {
      peer.read();
      return peer.ended;
    }));
    EXPECT_EQ(peer.received, "1 Lock Get Success: a\n1 pong\n");
    EXPECT_FALSE(peer.was_reset);
    EXPECT_EQ(keys(), 0U);
    peer.socket.close();
    EXPECT_TRUE(run_until_over());
  }
}

// ---- S4 ----

TEST_F(ConnectionTest, S4_one_too_many_is_told_so_and_closed) {
  Peer peer(context());
  accept(peer)->refuse();
  ASSERT_TRUE(run_until([&] {
    peer.read();
    return peer.ended;
  }));
  EXPECT_EQ(peer.received, "0 Too Many Connections\n");
  peer.send_some("g a\n");
  peer.socket.close();
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(keys(), 0U);
}

TEST_F(ConnectionTest, S4_one_too_many_that_has_gone_already_harms_nobody) {
  Peer gone(context());
  const auto refused = accept(gone);
  gone.reset();
  refused->refuse();
  Peer peer(context());
  serve(peer);
  expect_replies(peer, "ping\n", "1 pong\n");
}

TEST_F(ConnectionTest, S2_one_that_has_gone_before_it_was_served_harms_nobody) {
  {
    Peer gone(context());
    const auto connection = accept(gone);
    gone.reset();
    connection->serve(SessionId{++last_session_}, "gone");
  }
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(server_.registry.size(), 0U);
}

// ---- others meanwhile ----

TEST_F(ConnectionTest, L5_a_long_listing_leaves_the_others_their_turns) {
  TestClient holder(server_, 1'000'000);
  for (int i = 0; i < 50'000; ++i) holder.ask("g " + std::to_string(i) + "\n");
  Peer lister(context());
  serve(lister);
  Peer other(context());
  serve(other);
  ASSERT_EQ(lister.send_some("d\n"), 2U);
  ASSERT_TRUE(run_until([&] {
    lister.read();
    return !lister.received.empty();
  }));
  expect_replies(other, "ping\n", "1 pong\n");
  EXPECT_LT(std::ranges::count(lister.received, '\n'), 50'000) << "the listing is still under way";
  EXPECT_TRUE(run_until([&] {
    lister.read();
    return std::ranges::count(lister.received, '\n') == 50'000;
  }));
}

}  // namespace
}  // namespace lockd::server
