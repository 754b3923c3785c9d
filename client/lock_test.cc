// Guards: what they own, when they let go, and that they are harmless afterwards.
#include "lockd/lock.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "client/test_fake_server.h"
#include "lockd/client.h"

namespace lockd {
namespace {

/// What a lock is asked for with, and what the server says.
std::vector<std::pair<std::string, std::string>> granted(const std::string& key, const std::string& token) {
  return {{"g " + key, "1 Lock Get Success: " + key + "\n"}, {"t " + key, token + " Lock Token: " + key + "\n"}};
}

std::pair<std::string, std::string> released(const std::string& key) {
  return {"r " + key, "1 Lock Release Success: " + key + "\n"};
}

TEST(Lock, default_made_owns_nothing) {
  Lock lock;
  EXPECT_FALSE(lock.owns_lock());
  EXPECT_FALSE(lock);
  EXPECT_EQ(lock.key(), "");
  EXPECT_EQ(lock.token(), 0U);
  EXPECT_TRUE(lock.unlock().failed_by(Cause::not_held));
  lock.disown();
}

TEST(Lock, releases_at_the_end_of_its_scope) {
  const auto get = granted("k", "42");
  const FakeServer server(answers({get[0], get[1], released("k"), {"ping", "1 pong\n"}}));
  Client client = server.connect();
  {
    const Lock lock = client.try_lock("k").value();
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_EQ(lock.mode(), Mode::exclusive);
    EXPECT_EQ(lock.key(), "k");
    EXPECT_EQ(lock.token(), 42U);
  }
  EXPECT_TRUE(client.ping());
}

TEST(Lock, shared_is_released_as_shared) {
  const FakeServer server(answers({{"sgl 3 k", "2 Shared Lock Get Success: k\n"},
                                   {"st k", "9 Shared Lock Token: k\n"},
                                   {"sr k", "1 Shared Lock Release Success: k\n"}}));
  Client client = server.connect();
  const Lock lock = client.try_lock_shared("k", 3).value();
  EXPECT_EQ(lock.mode(), Mode::shared);
  EXPECT_EQ(lock.token(), 9U);
}

TEST(Lock, released_early_is_released_once) {
  const auto get = granted("k", "1");
  const FakeServer server(answers({get[0], get[1], released("k")}));
  Client client = server.connect();
  Lock lock = client.try_lock("k").value();
  EXPECT_TRUE(lock.unlock());
  EXPECT_FALSE(lock.owns_lock());
  EXPECT_EQ(lock.key(), "k") << "for those who want to tell";
  EXPECT_TRUE(lock.unlock().failed_by(Cause::not_held));
}

TEST(Lock, moves_its_lock) {
  const auto one = granted("one", "1");
  const auto two = granted("two", "2");
  const FakeServer server(answers({one[0], one[1], two[0], two[1], released("one"), released("two")}));
  Client client = server.connect();
  Lock first = client.try_lock("one").value();
  Lock second = client.try_lock("two").value();
  first = std::move(second);
  EXPECT_EQ(first.key(), "two");
  EXPECT_TRUE(first.owns_lock());
  EXPECT_FALSE(second.owns_lock());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.key(), "");
  Lock& same = first;
  first = std::move(same);
  EXPECT_TRUE(first.owns_lock());
  Lock third(std::move(first));
  EXPECT_EQ(third.token(), 2U);
  EXPECT_FALSE(first.owns_lock());  // NOLINT(bugprone-use-after-move)
}

TEST(Lock, disowned_leaves_the_lock_to_the_client) {
  const auto get = granted("k", "1");
  const FakeServer server(answers({get[0], get[1], get[0], get[1], released("k")}));
  Client client = server.connect();
  {
    Lock lock = client.try_lock("k").value();
    lock.disown();
    EXPECT_FALSE(lock.owns_lock());
  }
  EXPECT_TRUE(client.try_lock("k")) << "which its own client can take into a guard again";
}

TEST(Lock, of_one_client_there_is_one_for_a_key_and_mode) {
  const auto get = granted("k", "1");
  const FakeServer server(answers({get[0],
                                   get[1],
                                   {"sgl 1 k", "1 Shared Lock Get Success: k\n"},
                                   {"st k", "2 Shared Lock Token: k\n"},
                                   {"sr k", "1 Shared Lock Release Success: k\n"},
                                   released("k"),
                                   get[0],
                                   get[1],
                                   released("k")}));
  Client client = server.connect();
  {
    const Lock lock = client.try_lock("k").value();
    const auto second = client.try_lock("k");
    ASSERT_TRUE(second.failed_by(Cause::already_guarded));
    EXPECT_EQ(second.error().text, "\"k\" is under another Lock of this Client");
    EXPECT_TRUE(client.lock("k").failed_by(Cause::already_guarded));
    EXPECT_TRUE(client.try_lock_shared("k", 1)) << "the other space";
  }
  EXPECT_TRUE(client.try_lock("k"));
}

TEST(Lock, that_was_not_granted_does_not_block_the_next_try) {
  const auto get = granted("k", "1");
  const FakeServer server(
      answers({{"g k", "0 Lock Get Failure: k\n"}, {"t k", "0 Lock Not Held: k\n"}, get[0], get[1], released("k")}));
  Client client = server.connect();
  EXPECT_TRUE(client.try_lock("k").failed_by(Cause::unavailable));
  EXPECT_TRUE(client.try_lock("k"));
}

TEST(Lock, whose_lock_was_released_otherwise_says_so) {
  const auto get = granted("k", "1");
  const FakeServer server(
      answers({get[0], get[1], {"ra", "1 Locks Released\n"}, {"r k", "0 Lock Release Failure: k\n"}}));
  Client client = server.connect();
  Lock lock = client.try_lock("k").value();
  EXPECT_TRUE(client.release_all());
  EXPECT_TRUE(lock.unlock().failed_by(Cause::not_held));
}

TEST(Lock, outlives_its_client_in_peace) {
  const auto get = granted("k", "1");
  const FakeServer server(answers({get[0], get[1]}));
  std::optional<Client> client = server.connect();
  Lock lock = client->try_lock("k").value();
  client.reset();
  EXPECT_FALSE(lock.owns_lock());
  EXPECT_EQ(lock.token(), 1U);
  EXPECT_TRUE(lock.unlock().failed_by(Cause::not_held));
}

TEST(Lock, of_a_lost_connection_owns_nothing) {
  const auto get = granted("k", "1");
  const FakeServer server([get](Peer& peer) {
    for (const auto& [request, reply] : get) peer.expect(request), peer.send(reply);
    peer.expect("ping"), peer.close();
  });
  Client client = server.connect();
  const Lock lock = client.try_lock("k").value();
  EXPECT_TRUE(client.ping().failed_by(Cause::connection_lost));
  EXPECT_FALSE(lock.owns_lock());
}

}  // namespace
}  // namespace lockd
