// What calls say when there is no connection, and when the server's answer is not the one that was asked for.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/test_fake_server.h"
#include "lockd/client.h"

namespace lockd {
namespace {

using std::chrono::milliseconds;

/// Every call that asks the server something, by its name, and the cause with which it failed.
template <class Call>
auto cause_of(Call call) {
  return [call](Client& client) {
    const auto result = call(client);
    return result ? std::nullopt : std::optional(result.error().cause);
  };
}

std::vector<std::pair<std::string, std::function<std::optional<Cause>(Client&)>>> all_calls() {
  return {{"try_lock", cause_of([](Client& c) { return c.try_lock("k"); })},
          {"try_lock_shared", cause_of([](Client& c) { return c.try_lock_shared("k", 1); })},
          {"get", cause_of([](Client& c) { return c.get("k"); })},
          {"get_wait", cause_of([](Client& c) { return c.get_wait("k", milliseconds(1)); })},
          {"release", cause_of([](Client& c) { return c.release("k"); })},
          {"is_locked", cause_of([](Client& c) { return c.is_locked("k"); })},
          {"waiters", cause_of([](Client& c) { return c.waiters("k"); })},
          {"token", cause_of([](Client& c) { return c.token("k"); })},
          {"get_shared", cause_of([](Client& c) { return c.get_shared("k"); })},
          {"release_shared", cause_of([](Client& c) { return c.release_shared("k"); })},
          {"shared_holder_count", cause_of([](Client& c) { return c.shared_holder_count("k"); })},
          {"release_all", cause_of([](Client& c) { return c.release_all(); })},
          {"cancel", cause_of([](Client& c) { return c.cancel(); })},
          {"list", cause_of([](Client& c) { return c.list(); })},
          {"holders", cause_of([](Client& c) { return c.holders(); })},
          {"dump", cause_of([](Client& c) { return c.dump(); })},
          {"counters", cause_of([](Client& c) { return c.counters(); })},
          {"stats", cause_of([](Client& c) { return c.stats(); })},
          {"me", cause_of([](Client& c) { return c.me(); })},
          {"set_name", cause_of([](Client& c) { return c.set_name("a"); })},
          {"who", cause_of([](Client& c) { return c.who(); })},
          {"ping", cause_of([](Client& c) { return c.ping(); })},
          {"version", cause_of([](Client& c) { return c.version(); })},
          {"help", cause_of([](Client& c) { return c.help(); })},
          {"quit", cause_of([](Client& c) { return c.quit(); })}};
}

TEST(ClientRefusals, without_a_connection_each_call_says_that_it_is_lost) {
  const FakeServer server(answers({}));
  Client client = server.connect();
  client.close();
  for (const auto& [name, call] : all_calls()) EXPECT_EQ(call(client), Cause::connection_lost) << name;
}

TEST(ClientRefusals, so_it_does_where_the_Client_was_moved_from) {
  const FakeServer server(answers({}));
  Client client = server.connect();
  const Client other = std::move(client);
  for (const auto& [name, call] : all_calls()) EXPECT_EQ(call(client), Cause::connection_lost) << name;
}

TEST(ClientRefusals, what_is_no_reply_ends_the_connection_in_each_call) {
  for (const auto& [name, call] : all_calls()) {
    if (name == "quit" || name == "help") continue;  // which have none, and any
    const FakeServer server([](Peer& peer) {
      peer.line();
      peer.send("1 nonsense\nEND\n1 pong\n");
      peer.drain();
    });
    Client client = server.connect();
    EXPECT_EQ(call(client), Cause::protocol_error) << name;
    EXPECT_FALSE(client.is_connected()) << name;
  }
}

TEST(ClientRefusals, a_server_that_knows_no_help) {
  const FakeServer server(answers({{"help ", "0 Unknown Command: help\n"}, {"ping", "1 pong\n"}}));
  Client client = server.connect();
  EXPECT_TRUE(client.help().failed_by(Cause::refused));
  EXPECT_TRUE(client.ping().has_value());
}

TEST(ClientRefusals, a_grant_whose_token_is_none_is_no_lock) {
  const FakeServer server(answers({{"g k", "1 Lock Get Success: k\n"}, {"t k", "0 Lock Not Held: k\n"}}));
  Client client = server.connect();
  EXPECT_TRUE(client.try_lock("k").failed_by(Cause::not_held));
}

/// Connects with a name, to which the server says this; why it can't, if it can't.
std::optional<Cause> named(const std::string& reply) {
  const FakeServer server([reply](Peer& peer) {
    peer.expect("iam me");
    peer.send(reply);
    peer.drain();
  });
  const auto client = Client::connect(server.uri(), {.name = "me"});
  return client ? std::nullopt : std::optional(client.error().cause);
}

TEST(ClientRefusals, R2_L4_a_name_that_the_server_does_not_take) {
  EXPECT_EQ(named("1 ok\n"), std::nullopt);
  EXPECT_EQ(named("0 disabled\n"), Cause::disabled);
  EXPECT_EQ(named("0 Unknown Command: iam\n"), Cause::refused);
  EXPECT_EQ(named("what?\n"), Cause::protocol_error);
}

TEST(ClientRefusals, options_have_upper_bounds_too) {
  const auto refused = [](const Options& options) {
    return Client::connect("tcp://127.0.0.1:1", options).failed_by(Cause::bad_argument);
  };
  EXPECT_TRUE(refused({.connect_timeout = longest_wait + milliseconds(1)}));
  EXPECT_TRUE(refused({.peer_timeout = milliseconds(3600001)}));
  EXPECT_TRUE(refused({.reply_timeout = longest_wait + milliseconds(1)}));
}

TEST(ClientRefusals, a_reply_may_stay_out_for_ever_where_it_is_so_wished) {
  const FakeServer server(answers({{"i k", "1 Lock Is Locked: k\n"}}));
  Client client = server.connect({.reply_timeout = milliseconds(0)});
  EXPECT_TRUE(client.is_locked("k").value());
}

}  // namespace
}  // namespace lockd
