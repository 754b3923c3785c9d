// Waiting in line, who ends it, and several threads on one client.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client/test_fake_server.h"
#include "lockd/client.h"

namespace lockd {
namespace {

using namespace std::chrono_literals;

TEST(ClientWait, W9_a_stop_cancels_it) {
  std::stop_source stop;
  const FakeServer server([&](Peer& peer) {
    peer.expect("gw 60000 k");
    stop.request_stop();
    peer.expect("cancel");
    peer.send("0 Lock Get Canceled: k\n1 Canceled\n");
    peer.expect("ping"), peer.send("1 pong\n"), peer.expect_end();
  });
  Client client = server.connect();
  EXPECT_TRUE(client.get_wait("k", 60s, stop.get_token()).failed_by(Cause::canceled));
  EXPECT_TRUE(client.ping()) << "the reply to `cancel` is taken too";
}

TEST(ClientWait, W9_a_stop_that_comes_too_late_changes_nothing) {
  std::stop_source stop;
  const FakeServer server([&](Peer& peer) {
    peer.expect("gw 60000 k"), peer.expect("t k");
    stop.request_stop();
    peer.expect("cancel");
    peer.send("1 Lock Get Success: k\n7 Lock Token: k\n0 Nothing To Cancel\n");
    peer.expect("r k"), peer.send("1 Lock Release Success: k\n"), peer.expect_end();
  });
  Client client = server.connect();
  EXPECT_EQ(client.lock_for("k", 60s, stop.get_token()).value().token(), 7U);
}

TEST(ClientWait, W9_a_stop_with_a_token_on_the_way) {
  std::stop_source stop;
  const FakeServer server([&](Peer& peer) {
    peer.expect("sgw 2 60000 k"), peer.expect("st k");
    stop.request_stop();
    peer.expect("cancel");
    peer.send("0 Shared Lock Get Canceled: k\n0 Shared Lock Not Held: k\n1 Canceled\n");
    peer.expect_end();
  });
  Client client = server.connect();
  EXPECT_TRUE(client.lock_shared_for("k", 2, 60s, stop.get_token()).failed_by(Cause::canceled));
}

TEST(ClientWait, a_stop_before_it_sends_nothing) {
  const FakeServer server(answers({{"ping", "1 pong\n"}}));
  Client client = server.connect();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(client.get_wait("k", 60s, stop.get_token()).failed_by(Cause::canceled));
  EXPECT_TRUE(client.lock("k", stop.get_token()).failed_by(Cause::canceled));
  EXPECT_TRUE(client.ping());
}

TEST(ClientWait, a_stop_ends_the_wait_for_ones_turn) {
  std::stop_source stop;
  std::promise<void> asked;
  const FakeServer server([&](Peer& peer) {
    peer.expect("gw 60000 k"), asked.set_value();
    peer.expect("cancel"), peer.send("0 Lock Get Canceled: k\n1 Canceled\n"), peer.expect_end();
  });
  Client client = server.connect();
  auto waiting = std::async([&] { return client.get_wait("k", 60s); });
  asked.get_future().wait();
  auto queued = std::async([&] { return client.get_wait("other", 60s, stop.get_token()); });
  stop.request_stop();
  EXPECT_TRUE(queued.get().failed_by(Cause::canceled));
  EXPECT_TRUE(client.cancel().value());
  EXPECT_TRUE(waiting.get().failed_by(Cause::canceled));
}

TEST(ClientWait, W9_cancel_from_another_thread_ends_it) {
  std::promise<void> asked;
  const FakeServer server([&](Peer& peer) {
    peer.expect("gw 60000 k"), asked.set_value();
    peer.expect("cancel"), peer.send("0 Lock Get Canceled: k\n1 Canceled\n"), peer.expect_end();
  });
  Client client = server.connect();
  auto waiting = std::async([&] { return client.get_wait("k", 60s); });
  asked.get_future().wait();
  EXPECT_TRUE(client.cancel().value());
  EXPECT_TRUE(waiting.get().failed_by(Cause::canceled));
}

TEST(ClientWait, W9_cancel_when_it_is_over_says_so) {
  std::promise<void> asked;
  const FakeServer server([&](Peer& peer) {
    peer.expect("gw 60000 k"), asked.set_value();
    peer.expect("cancel"), peer.send("1 Lock Get Success: k\n0 Nothing To Cancel\n"), peer.expect_end();
  });
  Client client = server.connect();
  auto waiting = std::async([&] { return client.get_wait("k", 60s); });
  asked.get_future().wait();
  EXPECT_FALSE(client.cancel().value());
  EXPECT_TRUE(waiting.get());
}

TEST(ClientWait, may_last_longer_than_a_reply_may_take) {
  std::promise<void> never;
  const FakeServer server([wait = never.get_future().share()](Peer& peer) {
    peer.expect("gw 60000 k");
    wait.wait_for(200ms);
    peer.send("1 Lock Get Success: k\n");
    peer.expect_end();
  });
  Client client = server.connect({.reply_timeout = 50ms});
  EXPECT_TRUE(client.get_wait("k", 60s));
}

TEST(ClientWait, whose_reply_stays_out_is_a_loss) {
  const FakeServer server([](Peer& peer) { peer.expect("gw 20 k"), peer.expect_end(); });
  Client client = server.connect({.reply_timeout = 50ms});
  EXPECT_TRUE(client.get_wait("k", 20ms).failed_by(Cause::connection_lost));
}

// ---- threads ----

/// Each thread asks for its own key, and has its own reply.
TEST(ClientThreads, take_turns) {
  constexpr int thread_count = 4;
  constexpr int call_count = 50;
  const FakeServer server([](Peer& peer) {
    for (int i = 0; i < thread_count * call_count; ++i) {
      const std::string key = peer.line().substr(3);
      peer.send(key + " Lock Waiters: " + key + "\n");
    }
    peer.expect_end();
  });
  Client client = server.connect();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int key = 0; key < thread_count; ++key) {
    threads.emplace_back([&, key] {
      for (int i = 0; i < call_count; ++i)
        if (client.waiters(std::to_string(key)).value() == static_cast<std::uint64_t>(key)) ++good;
    });
  }
  threads.clear();
  EXPECT_EQ(good, thread_count * call_count);
}

TEST(ClientThreads, all_learn_of_the_end) {
  const FakeServer server([](Peer& peer) { peer.line(), peer.close(); });
  Client client = server.connect();
  std::atomic<int> told = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { told += client.ping().failed_by(Cause::connection_lost) ? 1 : 0; });
  }
  EXPECT_EQ(told, 4);
}

TEST(ClientThreads, may_close_it_at_once) {
  const FakeServer server([](Peer& peer) { peer.expect_end(); });
  Client client = server.connect();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { client.close(); });
  }
  EXPECT_FALSE(client.is_connected());
}

/// A reply and the stop at once, in whatever order: granted or canceled, and nothing is left over.
TEST(ClientThreads, W9_stops_race_with_replies) {
  constexpr int rounds = 200;
  const FakeServer server([&](Peer& peer) {
    std::string line = peer.line();
    for (int i = 0; i < rounds; ++i) {
      peer.send("1 Lock Get Success: k\n");
      line = peer.line();
      if (line == "cancel") peer.send("0 Nothing To Cancel\n"), line = peer.line();
    }
    EXPECT_EQ(line, "ping");
    peer.send("1 pong\n"), peer.expect_end();
  });
  Client client = server.connect();
  for (int i = 0; i < rounds; ++i) {
    std::stop_source stop;
    std::atomic<bool> started = false;
    std::jthread stopper([&] {
      started = true;
      stop.request_stop();
    });
    while (!started) std::this_thread::yield();
    // Stopped before it was sent is possible too: then nothing was asked, and it is asked without a stop.
    const bool granted = client.get_wait("k", 60s, stop.get_token()) || client.get_wait("k", 60s);
    ASSERT_TRUE(granted);
  }
  EXPECT_TRUE(client.ping());
}

}  // namespace
}  // namespace lockd
