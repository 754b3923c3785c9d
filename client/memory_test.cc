// What becomes of a call for which there is no memory: no allocation of it may leave anything half done.
#include <gtest/gtest.h>

#include <new>
#include <optional>
#include <string>
#include <utility>

#include "client/test_fake_server.h"
#include "engine/test_heap.h"
#include "lockd/client.h"

namespace lockd {
namespace {

const std::string key(100, 'k');  // too long for a string to keep in itself

/// Grants what is asked for, `g` but once, for as long as the client lives.
void grant(Peer& peer) {
  bool is_held = false;
  for (std::string line; !(line = peer.line()).empty();) {
    EXPECT_TRUE(line == "ping" || line.ends_with(" " + key)) << "two requests in one: " << line;
    const std::string verb = line.substr(0, line.find(' '));
    const std::string yes = "1 Lock Get Success: ";
    if (verb == "g") peer.send((std::exchange(is_held, true) ? "0 Lock Get Failure: " : yes) + key + "\n");
    if (verb == "r") is_held = false;
    if (verb == "t") peer.send("7 Lock Token: " + key + "\n");
    if (verb == "r") peer.send("1 Lock Release Success: " + key + "\n");
    if (verb == "ping") peer.send("1 pong\n");
  }
}

/// Whether the call came to its end with so many allocations.
template <class Call>
bool succeeds_with(int allocations, Call call) {
  allocations_until_one_fails = allocations + 1;
  try {
    call();
  } catch (const std::bad_alloc&) {
    return false;
  }
  return std::exchange(allocations_until_one_fails, never_fails) > 0;
}

/// Calls it with less memory than it needs, by each number of allocations; then sees what is left of the client.
template <class Call, class Check>
void check_each_failure(Call call, Check check) {
  int failures = 0;
  for (bool succeeded = false; !succeeded; ++failures) {
    const FakeServer server(grant);
    Client client = server.connect();
    succeeded = succeeds_with(failures, [&] { call(client); });
    check(client);
  }
  EXPECT_GT(failures, 3) << "it takes memory at all";
}

TEST(ClientMemory, no_key_stays_claimed_and_no_turn_taken) {
  check_each_failure([](Client& client) { (void)client.try_lock(key); },
                     [](Client& client) {
                       EXPECT_FALSE(client.try_lock(key).failed_by(Cause::already_guarded));
                       EXPECT_EQ(client.ping().has_value(), client.is_connected());
                     });
}

TEST(ClientMemory, what_was_asked_for_and_has_no_guard_ends_with_the_connection) {
  std::optional<Lock> lock;
  check_each_failure([&](Client& client) { lock.emplace(client.try_lock(key).value()); },
                     [&](Client& client) {
                       const bool is_nobodys = !lock && client.is_connected();
                       EXPECT_TRUE(!is_nobodys || client.get(key)) << "it was asked for";
                       lock.reset();
                     });
}

TEST(ClientMemory, no_request_begins_with_the_rest_of_another) {
  check_each_failure([](Client& client) { (void)client.get(key); },
                     [](Client& client) {
                       const auto answered = client.ping();
                       EXPECT_EQ(answered.has_value(), client.is_connected());
                     });
}

TEST(ClientMemory, a_lock_that_goes_without_memory_gives_up_its_claim) {
  for (int allocations = 0; allocations < 20; ++allocations) {
    const FakeServer server(grant);
    Client client = server.connect();
    std::optional<Lock> lock(client.try_lock(key).value());
    succeeds_with(allocations, [&] { lock.reset(); });
    EXPECT_FALSE(client.try_lock(key).failed_by(Cause::already_guarded));
  }
}

}  // namespace
}  // namespace lockd
