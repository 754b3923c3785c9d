// Every call against the real daemon: that what the library understands is what the daemon says.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "client/test_daemon.h"
#include "lockd/client.h"

namespace lockd {
namespace {

using namespace std::chrono_literals;

/// Asks again until it is so.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = Clock::now() + 20s;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST(ClientDaemon, X1_X2_X3_T2_exclusive_locks) {
  const Daemon daemon;
  Client one = daemon.connect();
  Client two = daemon.connect();
  EXPECT_FALSE(two.is_locked("a key").value());
  EXPECT_TRUE(one.get("a key"));
  EXPECT_TRUE(one.get("a key")) << "which it holds";
  EXPECT_TRUE(two.is_locked("a key").value());
  EXPECT_TRUE(two.get("a key").failed_by(Cause::unavailable));
  EXPECT_TRUE(two.release("a key").failed_by(Cause::not_held));
  EXPECT_TRUE(two.token("a key").failed_by(Cause::not_held));
  const std::uint64_t token = one.token("a key").value();
  EXPECT_TRUE(one.release("a key"));
  EXPECT_TRUE(two.get("a key"));
  EXPECT_GT(two.token("a key").value(), token);
}

TEST(ClientDaemon, a_guard_lasts_as_long_as_the_result_that_it_is_in) {
  const Daemon daemon;
  Client client = daemon.connect();
  if (client.try_lock("k")) {
    EXPECT_FALSE(client.is_locked("k").value()) << "as the header warns";
  }
  if (const auto lock = client.try_lock("k")) {
    EXPECT_TRUE(client.is_locked("k").value());
  }
  EXPECT_FALSE(client.is_locked("k").value());
  EXPECT_TRUE(client.is_locked("k")) << "there is an answer";
  const Lock moved = client.lock("k").value();
  EXPECT_TRUE(client.is_locked("k").value());
}

TEST(ClientDaemon, F3_keys_are_bytes) {
  const Daemon daemon;
  Client client = daemon.connect();
  const std::string longest(8190, 'k');
  for (const std::string& key :
       {std::string(), std::string("a: b"), std::string("7"), std::string("\0x\xff", 3), longest}) {
    EXPECT_TRUE(client.get(key));
    EXPECT_TRUE(client.is_locked(key).value());
    EXPECT_TRUE(client.release(key));
  }
  EXPECT_TRUE(client.get_wait("7", 5ms));
  EXPECT_TRUE(client.get_wait("", 5ms));
  EXPECT_EQ(client.get_shared_wait("", 1, 5ms).value(), 1U);
}

TEST(ClientDaemon, H1_H2_H3_C1_C2_T2_shared_locks) {
  const Daemon daemon;
  Client one = daemon.connect();
  Client two = daemon.connect();
  EXPECT_EQ(one.get_shared("k").value(), 1U);
  EXPECT_EQ(two.get_shared_limited("k", 2).value(), 2U);
  EXPECT_EQ(two.shared_holder_count("k").value(), 2U);
  Client three = daemon.connect();
  EXPECT_TRUE(three.get_shared_limited("k", 2).failed_by(Cause::unavailable));
  EXPECT_TRUE(three.get_shared_wait("k", 2, 1ms).failed_by(Cause::timed_out));
  EXPECT_TRUE(three.release_shared("k").failed_by(Cause::not_held));
  EXPECT_TRUE(three.shared_token("k").failed_by(Cause::not_held));
  EXPECT_TRUE(one.release_shared("k"));
  EXPECT_EQ(three.get_shared_wait("k", 2, 1ms).value(), 2U);
  EXPECT_GT(three.shared_token("k").value(), two.shared_token("k").value());
  EXPECT_EQ(three.shared_waiters("k").value(), 0U);
  EXPECT_EQ(three.get_shared("k").value(), 2U);
}

TEST(ClientDaemon, W1_W8_W9_waiting) {
  const Daemon daemon;
  Client holder = daemon.connect();
  Client waiter = daemon.connect();
  std::optional<Lock> lock = holder.try_lock("k").value();
  EXPECT_TRUE(waiter.get_wait("k", 0ms).failed_by(Cause::timed_out));
  EXPECT_TRUE(waiter.lock_for("k", 1ms).failed_by(Cause::timed_out));
  auto waiting = std::async([&] { return waiter.lock("k"); });
  ASSERT_TRUE(eventually([&] { return holder.waiters("k").value() == 1; }));
  EXPECT_TRUE(waiter.cancel().value());
  EXPECT_TRUE(waiting.get().failed_by(Cause::canceled));
  EXPECT_FALSE(waiter.cancel().value()) << "there is nothing to cancel";
  waiting = std::async([&] { return waiter.lock("k"); });
  ASSERT_TRUE(eventually([&] { return holder.waiters("k").value() == 1; }));
  const std::uint64_t token = lock->token();
  lock.reset();
  EXPECT_GT(waiting.get().value().token(), token);
}

TEST(ClientDaemon, W9_a_stop_leaves_the_line) {
  const Daemon daemon;
  Client holder = daemon.connect();
  Client waiter = daemon.connect();
  const Lock lock = holder.try_lock_shared("k", 1).value();
  std::stop_source stop;
  auto waiting = std::async([&] { return waiter.lock_shared("k", 1, stop.get_token()); });
  ASSERT_TRUE(eventually([&] { return holder.shared_waiters("k").value() == 1; }));
  stop.request_stop();
  EXPECT_TRUE(waiting.get().failed_by(Cause::canceled));
  EXPECT_EQ(holder.shared_waiters("k").value(), 0U);
  EXPECT_TRUE(waiter.ping());
}

TEST(ClientDaemon, W6_a_circle_is_refused) {
  const Daemon daemon;
  Client one = daemon.connect();
  Client two = daemon.connect();
  const Lock a = one.try_lock("a").value();
  const Lock b = two.try_lock("b").value();
  auto waiting = std::async([&] { return one.get_wait("b", 60s); });
  Client observer = daemon.connect();
  ASSERT_TRUE(eventually([&] { return observer.waiters("b").value() == 1; }));
  EXPECT_TRUE(two.lock("a").failed_by(Cause::deadlock));
  EXPECT_TRUE(one.cancel().value());
  EXPECT_TRUE(waiting.get().failed_by(Cause::canceled));
}

TEST(ClientDaemon, S4_S5_W7_its_limits) {
  const Daemon daemon({"--max-locks", "1", "--max-waiters", "1", "--max-connections", "3"});
  Client holder = daemon.connect();
  Client waiter = daemon.connect();
  Client third = daemon.connect();
  const auto fourth = Client::connect(daemon.uri());
  EXPECT_TRUE(fourth.failed_by(Cause::too_many_connections)) << fourth.error().text;
  EXPECT_TRUE(holder.get("k"));
  EXPECT_TRUE(holder.get("l").failed_by(Cause::too_many_locks));
  auto waiting = std::async([&] { return waiter.get_wait("k", 60s); });
  ASSERT_TRUE(eventually([&] { return third.waiters("k").value() == 1; }));
  EXPECT_TRUE(third.get_wait("k", 60s).failed_by(Cause::too_many_waiters));
  EXPECT_TRUE(holder.release("k"));
  EXPECT_TRUE(waiting.get());
}

TEST(ClientDaemon, L4_what_is_disabled) {
  const Daemon daemon({"--no-dump", "--no-registry"});
  Client client = daemon.connect();
  EXPECT_TRUE(client.list().failed_by(Cause::disabled));
  EXPECT_TRUE(client.holders().failed_by(Cause::disabled));
  EXPECT_TRUE(client.shared_holders("k").failed_by(Cause::disabled));
  EXPECT_TRUE(client.dump().failed_by(Cause::disabled));
  EXPECT_TRUE(client.who().failed_by(Cause::disabled));
  EXPECT_TRUE(client.set_name("me").failed_by(Cause::disabled));
  EXPECT_TRUE(client.ping());
  EXPECT_TRUE(Client::connect(daemon.uri(), {.name = "me"}).failed_by(Cause::disabled));
}

TEST(ClientDaemon, L1_L2_L3_E1_E2_E3_looking) {
  const Daemon daemon;
  Client client = daemon.connect({.name = "worker one\\"});
  Client other = daemon.connect();
  const Lock lock = client.try_lock("job 1").value();
  EXPECT_EQ(client.get_shared("pool").value(), 1U);
  EXPECT_EQ(other.get_shared("pool").value(), 2U);
  const std::string address = client.me().value().address;

  const auto listed = other.list("job").value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].mode, Mode::exclusive);
  EXPECT_FALSE(listed[0].waiting);
  EXPECT_EQ(listed[0].token, lock.token());
  EXPECT_EQ(listed[0].holder, "worker one\\");
  EXPECT_EQ(listed[0].key, "job 1");
  EXPECT_EQ(other.list().value().size(), 3U);
  EXPECT_TRUE(other.list("nothing").value().empty());
  EXPECT_EQ(other.holders().value().at(0).holder, "worker one\\");
  EXPECT_EQ(other.holders("job 1").value().at(0).key, "job 1");
  EXPECT_TRUE(other.holders("nothing").value().empty());
  EXPECT_EQ(other.shared_holders("pool").value().size(), 2U);
  EXPECT_EQ(other.dump().value(), "{\"job 1\":\"" + address + "\"}");
  EXPECT_TRUE(other.dump(Mode::shared).value().starts_with("{\"pool\":[\"" + address + "\","));
  EXPECT_EQ(other.counters().value().at("locks"), 1U);
  EXPECT_EQ(other.stats().value().at("holders"), 3U);
  EXPECT_EQ(client.release_all().value(), 2U);
  EXPECT_EQ(client.release_all().value(), 0U);
}

TEST(ClientDaemon, R1_R2_R3_E4_names_and_the_rest) {
  const Daemon daemon;
  Client client = daemon.connect();
  const Identity before = client.me().value();
  EXPECT_EQ(before.name, before.address);
  EXPECT_TRUE(client.set_name("a worker: one"));
  EXPECT_EQ(client.me().value().name, "a worker: one");
  const auto who = client.who("a worker: one").value();
  ASSERT_EQ(who.size(), 1U);
  EXPECT_EQ(who[0].address, before.address);
  EXPECT_EQ(who[0].name, "a worker: one");
  EXPECT_TRUE(client.clear_name());
  EXPECT_TRUE(client.who().value().empty());
  EXPECT_FALSE(client.version().value().empty());
  EXPECT_GT(client.help().value().size(), 20U);
  EXPECT_TRUE(client.ping());
  EXPECT_TRUE(client.get("k"));
  EXPECT_TRUE(client.quit());
  Client next = daemon.connect();
  EXPECT_TRUE(next.get_wait("k", 20s)) << "free at once, or in a moment";
}

TEST(ClientDaemon, S2_the_end_of_a_client_frees_its_locks) {
  const Daemon daemon;
  Client next = daemon.connect();
  {
    Client client = daemon.connect();
    Lock lock = client.try_lock("k").value();
    lock.disown();
  }
  EXPECT_TRUE(next.get_wait("k", 20s));
}

TEST(ClientDaemon, S6_its_end_is_noticed) {
  Daemon daemon;
  Client client = daemon.connect();
  std::promise<void> lost;
  client.on_loss([&](const Error&) { lost.set_value(); });
  const Lock lock = client.try_lock("k").value();
  daemon.stop();
  lost.get_future().wait();
  EXPECT_FALSE(lock.owns_lock());
  EXPECT_TRUE(Client::connect(daemon.uri()).failed_by(Cause::unreachable));
}

TEST(ClientDaemon, one_that_is_stopped_is_given_up_by_a_call) {
  const Daemon daemon;
  Client client = daemon.connect({.reply_timeout = 100ms});
  const Lock lock = client.try_lock("k").value();
  daemon.send_signal(SIGSTOP);
  EXPECT_TRUE(client.ping().failed_by(Cause::connection_lost));
  EXPECT_FALSE(lock.owns_lock());
}

TEST(ClientDaemon, large_listings_come_whole) {
  const Daemon daemon;
  Client client = daemon.connect();
  constexpr int count = 3000;
  const std::string behind(500, 'k');
  for (int i = 0; i < count; ++i) ASSERT_TRUE(client.get(std::to_string(i) + behind));
  EXPECT_EQ(client.list().value().size(), static_cast<std::size_t>(count));
  EXPECT_EQ(client.holders().value().size(), static_cast<std::size_t>(count));
  EXPECT_GT(client.dump().value().size(), count * behind.size());
  EXPECT_EQ(client.release_all().value(), static_cast<std::uint64_t>(count));
}

}  // namespace
}  // namespace lockd
