// Ends of connections that come at a bad moment: with replies waiting, with more locks than one pass of the loop frees,
// with input behind them.
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "server/test_connection.h"

namespace lockd::server {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

// `i` for the free key kkk..., and what is answered: so many times, with far more replies than the kernel takes.
const std::string key(1000, 'k');
const std::string request = "i " + key + "\n";
const std::string reply = "0 Lock Not Locked: " + key + "\n";

std::string times(int count, std::string_view text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

class ConnectionEndTest : public testing::Test, protected LoopbackWorker {
 protected:
  // The peer takes so many shared locks, reading along.
  void take_locks(Peer& peer, int count) {
    std::string requests;
    std::string replies;
    for (int i = 0; i < count; ++i) {
      requests += "sg " + std::to_string(i) + "\n";
      replies += "1 Shared Lock Get Success: " + std::to_string(i) + "\n";
    }
    ASSERT_EQ(exchange(peer, requests, replies.size()), replies);
  }

  std::uint64_t shared_keys() const { return server_.table.key_count(LockKind::shared); }

  std::uint64_t executed(Verb verb) const {
    return server_.statistics[0].commands[static_cast<std::size_t>(verb)].value();
  }

  // The peer sends these requests, and all of them are executed. It reads nothing.
  void execute_unread(Peer& peer, int count) {
    const std::string requests = times(count, request);
    const std::uint64_t before = executed(Verb::inspect);
    std::size_t sent = 0;
    ASSERT_TRUE(run_until([&] {
      if (sent < requests.size()) sent += peer.send_some(std::string_view(requests).substr(sent));
      return executed(Verb::inspect) == before + static_cast<std::uint64_t>(count);
    }));
  }

  bool read_until(Peer& peer, std::size_t byte_count) {
    return run_until([&] {
      peer.read();
      return peer.received.size() >= byte_count;
    });
  }

  bool read_to_end(Peer& peer) {
    return run_until([&] {
      peer.read();
      return peer.ended;
    });
  }
};

// ---- S2: the peer timeout ----

TEST_F(ConnectionEndTest, S2_silence_is_no_reason_to_end_after_replies_have_waited) {
  Peer silent(context());
  serve(silent);
  EXPECT_EQ(exchange(silent, "g mine\n", 23), "1 Lock Get Success: mine\n");
  silent.received.clear();
  execute_unread(silent, 100);
  ASSERT_TRUE(read_until(silent, 100 * reply.size()));

  // From here on, another one: when its time is up, the silent one's would have been before.
  Peer stuck(context());
  serve(stuck);
  EXPECT_EQ(exchange(stuck, "g stuck\n", 24), "1 Lock Get Success: stuck\n");
  execute_unread(stuck, 100);
  ASSERT_TRUE(run_until([&] { return connection_count_ == 1; })) << "it takes no bytes";
  EXPECT_EQ(keys(), 1U);
  EXPECT_EQ(exchange(silent, "r mine\n", 27), "1 Lock Release Success: mine\n");
}

TEST_F(ConnectionEndTest, S2_a_peer_lost_by_its_timeout_gets_no_time_to_read_or_close) {
  Peer stuck(context());
  serve(stuck);
  EXPECT_EQ(exchange(stuck, "g a\n", 22), "1 Lock Get Success: a\n");
  execute_unread(stuck, 100);
  ASSERT_TRUE(run_until([&] { return keys() == 0; }));
  context().poll();  // what is due by now, and nothing that takes time
  EXPECT_EQ(connection_count_, 0U);
}

TEST_F(ConnectionEndTest, S2_a_byte_from_one_whose_time_is_up_is_not_executed_while_its_end_takes_turns) {
  constexpr std::uint64_t lock_count = 20'000;
  Peer stuck(context());
  serve(stuck);
  take_locks(stuck, lock_count);
  execute_unread(stuck, 100);
  ASSERT_TRUE(run_until([&] { return shared_keys() < lock_count; })) << "it takes no bytes";
  ASSERT_GT(shared_keys(), 0U) << "its end takes more than a pass";
  EXPECT_EQ(stuck.send_some("g late\n"), 7U);
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(shared_keys(), 0U);
  EXPECT_EQ(executed(Verb::get), 0U);
  EXPECT_EQ(server_.table.orphan_count(LockKind::shared), lock_count);
}

TEST_F(ConnectionEndTest, S2_a_reset_while_the_end_takes_turns_changes_nothing) {
  constexpr std::uint64_t lock_count = 20'000;
  Peer peer(context());
  serve(peer);
  take_locks(peer, lock_count);
  ASSERT_NO_FATAL_FAILURE(execute_unread(peer, 100));
  peer.socket.shutdown(tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] { return shared_keys() < lock_count; }));
  ASSERT_GT(shared_keys(), 0U) << "its end takes more than a pass";
  peer.reset();
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(shared_keys(), 0U);
  EXPECT_EQ(server_.table.orphan_count(LockKind::shared), lock_count);
}

TEST_F(ConnectionEndTest, S2_L5_a_reset_in_the_middle_of_a_listing_ends_it) {
  constexpr std::uint64_t lock_count = 20'000;
  server_.settings.output_bytes_max = 1 << 30;  // so that turns are taken while replies wait
  Peer peer(context());
  serve(peer);
  take_locks(peer, lock_count);
  ASSERT_EQ(peer.send_some("sd\n"), 3U);
  ASSERT_TRUE(run_until([&] { return executed(Verb::list_shared) == 1; }));
  peer.reset();
  EXPECT_TRUE(run_until_over());
  EXPECT_EQ(shared_keys(), 0U);
  EXPECT_EQ(server_.table.orphan_count(LockKind::shared), lock_count);
}

// ---- S3: what comes after the end ----

TEST_F(ConnectionEndTest, S3_replies_are_still_sent_when_the_peer_timeout_passes_while_the_end_takes_turns) {
  constexpr std::uint64_t lock_count = 20'000;
  Peer peer(context());
  serve(peer);
  take_locks(peer, lock_count);
  // Due at once, but behind what the peer has sent before: the end has begun when the timeout fires.
  worker_.peer_timeout = 0s;
  const std::string requests = times(30, request);
  ASSERT_EQ(peer.send_some(requests), requests.size());
  peer.socket.shutdown(tcp::socket::shutdown_send);
  peer.received.clear();
  ASSERT_TRUE(run_until([&] { return shared_keys() < lock_count; }));
  ASSERT_GT(shared_keys(), 0U) << "its end takes more than a pass";
  ASSERT_TRUE(run_until([&] { return shared_keys() == 0; }));
  EXPECT_TRUE(read_to_end(peer));
  EXPECT_EQ(peer.received, times(30, reply));
  EXPECT_FALSE(peer.was_reset);
  EXPECT_TRUE(run_until_over());
}

TEST_F(ConnectionEndTest, S3_for_2_seconds_however_slowly_the_peer_reads) {
  worker_.peer_timeout = 1h;
  Peer slow(context());
  serve(slow);
  slow.socket.set_option(boost::asio::socket_base::receive_buffer_size(65536));  // what it reads makes room at once
  EXPECT_EQ(exchange(slow, "g a\n", 22), "1 Lock Get Success: a\n");
  slow.received.clear();
  execute_unread(slow, 900);
  const auto begin = std::chrono::steady_clock::now();
  slow.socket.shutdown(tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] { return keys() == 0; }));
  ASSERT_TRUE(read_until(slow, 100'000));  // it has taken some, and leaves the rest
  ASSERT_LT(slow.received.size(), 900 * reply.size());
  EXPECT_TRUE(run_until_over()) << "no hour more for having taken some";
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1900ms);
}

// Some of these replies fit into the peer's window, some only into the server's own buffer: a reset would lose those.
TEST_F(ConnectionEndTest, S3_E4_no_reply_is_lost_however_much_was_sent_after_quit) {
  for (int count = 1; count <= 12; ++count) {
    SCOPED_TRACE(count);
    Peer peer(context());
    serve(peer);
    const std::string stream = times(count, request) + "quit\n" + times(1000, request);
    std::size_t sent = 0;
    const auto send = [&] {
      if (sent < stream.size()) sent += peer.send_some(std::string_view(stream).substr(sent));
    };
    const std::uint64_t quits = executed(Verb::quit);
    ASSERT_TRUE(run_until([&] {
      send();
      context().poll();  // the server does all that it can before the peer reads
      return executed(Verb::quit) > quits && sent >= 300'000;
    }));
    EXPECT_TRUE(run_until([&] {
      send();
      context().poll();
      peer.read();
      return peer.ended;
    }));
    EXPECT_EQ(peer.received, times(count, reply));
    EXPECT_FALSE(peer.was_reset);
    peer.socket.close();
    ASSERT_TRUE(run_until_over());
  }
  EXPECT_EQ(executed(Verb::inspect), 78U) << "1 + ... + 12, and nothing behind a quit";
}

}  // namespace
}  // namespace lockd::server
