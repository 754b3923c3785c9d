// That the end of a connection is noticed, told once, and by whom.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "client/test_fake_server.h"
#include "lockd/client.h"

namespace lockd {
namespace {

using namespace std::chrono_literals;

/// Waits for the loss; the reason, or nothing in time.
std::optional<Error> told(Client& client) {
  const auto promise = std::make_shared<std::promise<Error>>();
  std::future<Error> reason = promise->get_future();
  client.on_loss([promise](const Error& error) { promise->set_value(error); });
  if (reason.wait_for(20s) != std::future_status::ready) return std::nullopt;
  return reason.get();
}

const Script until_the_end = [](Peer& peer) { peer.expect_end(); };

TEST(ClientLoss, by_FIN_is_noticed_while_no_call_is_made) {
  const FakeServer server([](Peer& peer) { peer.half_close(), peer.expect_end(); });
  Client client = server.connect();
  const auto reason = told(client);
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->cause, Cause::connection_lost);
  EXPECT_EQ(reason->text, "the server closed the connection");
  EXPECT_FALSE(client.is_connected());
  EXPECT_TRUE(client.lost().stop_requested());
  EXPECT_EQ(client.loss()->text, reason->text);
  EXPECT_TRUE(client.get("k").failed_by(Cause::connection_lost));
}

TEST(ClientLoss, by_RST_is_noticed_while_no_call_is_made) {
  const FakeServer server([](Peer& peer) { peer.reset(); });
  Client client = server.connect();
  const auto reason = told(client);
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->text, "Connection reset by peer");
}

TEST(ClientLoss, by_what_was_not_asked_for) {
  const FakeServer server([](Peer& peer) { peer.send("1 pong\n"), peer.expect_end(); });
  Client client = server.connect();
  EXPECT_EQ(told(client)->cause, Cause::protocol_error);
}

TEST(ClientLoss, ends_the_call_in_progress) {
  const FakeServer server([](Peer& peer) { peer.expect("gw 2147483647 k"), peer.expect("t k"), peer.close(); });
  Client client = server.connect();
  EXPECT_TRUE(client.lock("k").failed_by(Cause::connection_lost));
}

TEST(ClientLoss, in_the_middle_of_a_reply) {
  const FakeServer server([](Peer& peer) { peer.expect("list "), peer.send("x held 1 2 a k\nEN"), peer.close(); });
  Client client = server.connect();
  EXPECT_TRUE(client.list().failed_by(Cause::connection_lost));
}

TEST(ClientLoss, by_a_server_that_does_not_answer) {
  const FakeServer server([](Peer& peer) { peer.expect("g k"), peer.expect_end(); });
  Client client = server.connect({.reply_timeout = 50ms});
  const auto got = client.get("k");
  ASSERT_TRUE(got.failed_by(Cause::connection_lost));
  EXPECT_EQ(got.error().text, "no reply within 50 ms");
  EXPECT_EQ(told(client)->text, "no reply within 50 ms");
}

/// However long the reply takes altogether: it comes.
TEST(ClientLoss, is_not_what_a_long_reply_is) {
  std::promise<void> late;
  const FakeServer server([done = late.get_future().share()](Peer& peer) {
    peer.expect("list ");
    for (int i = 0; i < 20; ++i) {
      done.wait_for(100ms);
      peer.send("x held 1 2 a k\n");
    }
    peer.send("END\n");
    peer.expect_end();
  });
  Client client = server.connect({.reply_timeout = 1500ms});
  EXPECT_EQ(client.list().value().size(), 20U);
}

TEST(ClientLoss, is_told_to_each_function_once_and_at_once_to_those_that_come_late) {
  const FakeServer server([](Peer& peer) { peer.expect("ping"), peer.close(); });
  Client client = server.connect();
  std::atomic<int> calls = 0;
  std::promise<std::thread::id> told_by;
  client.on_loss([&](const Error&) { ++calls; });
  client.on_loss([&](const Error&) { ++calls, told_by.set_value(std::this_thread::get_id()); });
  EXPECT_TRUE(client.ping().failed_by(Cause::connection_lost));
  EXPECT_NE(told_by.get_future().get(), std::this_thread::get_id()) << "the library's thread";
  EXPECT_EQ(calls, 2);
  std::thread::id late_teller;
  client.on_loss([&](const Error&) { ++calls, late_teller = std::this_thread::get_id(); });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(late_teller, std::this_thread::get_id());
  client.close();
  EXPECT_EQ(calls, 3);
}

TEST(ClientLoss, is_first_seen_by_the_locks_then_by_the_stop_token) {
  const FakeServer server([](Peer& peer) {
    peer.expect("g k"), peer.expect("t k"), peer.send("1 Lock Get Success: k\n7 Lock Token: k\n");
    peer.close();
  });
  Client client = server.connect();
  std::promise<bool> owned;
  std::future<bool> still_owned = owned.get_future();
  Lock lock = client.try_lock("k").value();
  const std::stop_callback look(client.lost(), [&] { owned.set_value(lock.owns_lock()); });
  EXPECT_FALSE(still_owned.get());
  EXPECT_TRUE(lock.unlock().failed_by(Cause::connection_lost));
}

TEST(ClientLoss, by_ones_own_wish_is_told_to_nobody_but_the_stop_token) {
  const FakeServer server(until_the_end);
  Client client = server.connect();
  bool called = false;
  client.on_loss([&](const Error&) { called = true; });
  const std::stop_token lost = client.lost();
  EXPECT_FALSE(lost.stop_requested());
  client.close();
  client.close();
  EXPECT_TRUE(lost.stop_requested());
  client.on_loss([&](const Error&) { called = true; });
  EXPECT_FALSE(called);
  EXPECT_EQ(client.ping().error().text, "the client has been closed");
}

TEST(ClientLoss, the_end_of_a_Client_is_the_end_of_its_connection) {
  const FakeServer server(until_the_end);  // which waits for it
  std::stop_token lost;
  {
    const Client client = server.connect();
    lost = client.lost();
  }
  EXPECT_TRUE(lost.stop_requested());
}

TEST(ClientLoss, a_function_may_destroy_its_Client) {
  std::promise<void> go;
  const FakeServer server([gone = go.get_future().share()](Peer& peer) { gone.wait(), peer.close(); });
  auto client = std::make_unique<Client>(server.connect());
  std::promise<void> destroyed;
  client->on_loss([&](const Error&) {
    client->close();
    client.reset();
    destroyed.set_value();
  });
  go.set_value();
  destroyed.get_future().wait();
  EXPECT_EQ(client, nullptr);
}

TEST(ClientLoss, a_function_that_comes_late_may_destroy_its_Client) {
  const FakeServer server([](Peer& peer) { peer.half_close(), peer.expect_end(); });
  auto client = std::make_unique<Client>(server.connect());
  ASSERT_TRUE(told(*client));
  std::string text;
  client->on_loss([&](const Error& error) {
    client.reset();
    text = error.text;
  });
  EXPECT_EQ(text, "the server closed the connection");
}

TEST(ClientLoss, close_ends_the_wait_of_another_thread) {
  std::promise<void> asked;
  const FakeServer server([&](Peer& peer) { peer.expect("gw 60000 k"), asked.set_value(), peer.expect_end(); });
  Client client = server.connect();
  auto waiting = std::async([&] { return client.get_wait("k", 60s); });
  asked.get_future().wait();
  client.close();
  EXPECT_TRUE(waiting.get().failed_by(Cause::connection_lost));
}

// ---- moved-from clients ----

TEST(ClientMoved, takes_the_connection_along) {
  const FakeServer server(answers({{"ping", "1 pong\n"}}));
  Client first = server.connect();
  Client second = std::move(first);
  EXPECT_TRUE(second.ping());
  EXPECT_FALSE(first.is_connected());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(first.ping().failed_by(Cause::connection_lost));
  EXPECT_TRUE(first.try_lock("k").failed_by(Cause::connection_lost));
  EXPECT_TRUE(first.cancel().failed_by(Cause::connection_lost));
  EXPECT_TRUE(first.quit().failed_by(Cause::connection_lost));
  EXPECT_TRUE(first.release("k").failed_by(Cause::connection_lost));
  EXPECT_EQ(first.loss()->cause, Cause::connection_lost);
  EXPECT_FALSE(first.lost().stop_possible());
  first.on_loss([](const Error&) {});
  first.close();
}

TEST(ClientMoved, assignment_closes_what_was_there) {
  const FakeServer one(until_the_end);
  const FakeServer other(answers({{"ping", "1 pong\n"}}));
  Client client = one.connect();
  const std::stop_token lost = client.lost();
  client = other.connect();
  EXPECT_TRUE(lost.stop_requested());
  EXPECT_TRUE(client.ping());
}

// ---- processes ----

/// What a child finds: exit status 0 if all is as it should be.
int in_a_child(Client& client, Lock& lock) {
  if (client.is_connected() || lock.owns_lock()) return 1;
  if (!client.get("k").failed_by(Cause::connection_lost)) return 2;
  if (!client.try_lock("other").failed_by(Cause::connection_lost)) return 3;
  if (!client.quit().failed_by(Cause::connection_lost)) return 4;
  if (client.loss()->text != "this process is a child of the one that connected") return 5;
  client.close();
  {
    const Lock gone = std::move(lock);
  }
  {
    const Client gone = std::move(client);
  }
  return 0;
}

TEST(ClientFork, a_child_neither_uses_nor_ends_the_connection) {
  const FakeServer server([](Peer& peer) {
    peer.expect("g k"), peer.expect("t k"), peer.send("1 Lock Get Success: k\n7 Lock Token: k\n");
    peer.expect("ping"), peer.send("1 pong\n");
    peer.expect("r k"), peer.send("1 Lock Release Success: k\n");
    peer.expect_end();
  });
  Client client = server.connect();
  Lock lock = client.try_lock("k").value();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(in_a_child(client, lock));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_TRUE(client.ping());
}

}  // namespace
}  // namespace lockd
