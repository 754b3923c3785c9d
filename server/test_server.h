// A server without sockets, for tests: what sessions share, and clients whose bytes go through theirs.
#ifndef LOCKD_SERVER_TEST_SERVER_H_
#define LOCKD_SERVER_TEST_SERVER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "engine/check.h"
#include "server/session.h"

namespace lockd::server {

class TestClient;

/// All that sessions work with, owned. A copy is a server of its own in the same state, without clients.
template <class Mutex = engine::NullMutex>
class TestServer {
 public:
  using Table = engine::ShardedTable<Mutex>;

  /// It prefetches whatever it holds, so that a few keys show whether that is harmless.
  explicit TestServer(const Settings& with = {}, std::uint64_t locks_max = std::numeric_limits<std::uint64_t>::max())
      : TestServer(with, typename Table::Config{
                             .seed = {1, 2}, .shard_count = 4, .locks_max = locks_max, .cached_keys_max = 0}) {}
  TestServer(const Settings& with, const typename Table::Config& config) : settings(with), table(config) {}
  TestServer(const TestServer& other)
      : settings(other.settings),
        table(other.table),
        registry(other.registry),
        statistics(other.statistics),
        turn(other.turn) {}
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() = default;

  /// W4: brings all Wakeups to their clients, one after the other, each in a step of its own.
  void bring_wakeups();

  Settings settings;
  Table table;
  Registry<Mutex> registry;
  std::array<Statistics, 1> statistics;
  Turn turn;
  Services<Mutex> services{settings, table, registry, statistics[0], statistics, turn};
  std::map<SessionId, TestClient*> clients;  // the live ones
};

/// A session together with its pump's part of the work. Client N has the address AN. Stays where it is.
class TestClient {
 public:
  TestClient(TestServer<>& server, std::uint64_t number)
      : server_(server), session(SessionId{number}, "A" + std::to_string(number), server.services) {
    server.clients[session.id()] = this;
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { server_.clients.erase(session.id()); }

  void receive(std::string_view bytes) { next = session.receive(bytes, server_.services, output); }
  void go_on() { next = session.go_on(server_.services, output); }

  /// Its Wakeup comes.
  void wake(const Answer& answer) { next = session.wake(answer, server_.services, output); }

  /// Its deadline comes: the clock says so, and the pump.
  void time_out() {
    server_.turn.now = std::max(server_.turn.now, session.deadline());
    next = session.time_out(server_.services, output);
  }

  /// True once it is over.
  bool end_some(std::size_t budget) {
    const bool is_over = session.end_some(server_.services, budget);
    if (is_over) server_.clients.erase(session.id());
    return is_over;
  }
  void end() { LOCKD_CHECK(end_some(std::numeric_limits<std::size_t>::max()), "without a bound one slice is enough"); }

  /// The client takes what is there for it.
  std::string take_output() { return std::exchange(output, {}); }

  /// The client sends bytes and reads along until all is executed, or the session waits, or is at its end and over: the
  /// replies. Whom that let through is served too.
  std::string ask(std::string_view bytes) {
    receive(bytes);
    return finish_asking();
  }

  /// The same from the point on where a session stands that was given its bytes already.
  std::string finish_asking() {
    std::string replies = take_output();
    while (next == Next::turn || next == Next::drain) {
      go_on();
      replies += take_output();
    }
    if (next == Next::end) end();
    server_.bring_wakeups();
    return replies;
  }

 private:
  TestServer<>& server_;

 public:
  Session<engine::NullMutex> session;
  std::string output;  // sent by the session, not yet taken by the client
  Next next = Next::read;
};

template <class Mutex>
void TestServer<Mutex>::bring_wakeups() {
  for (std::size_t i = 0; i < turn.woken.size(); ++i) {  // NOLINT(modernize-loop-convert): it grows meanwhile
    const engine::Wakeup wakeup = turn.woken[i];
    const auto found = clients.find(wakeup.session);
    if (found == clients.end()) continue;
    TestClient& woken = *found->second;
    woken.wake(wakeup.answer);
    while (woken.next == Next::turn || woken.next == Next::drain) woken.go_on();
    if (woken.next == Next::end) woken.end();
  }
  turn.woken.clear();
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_SERVER_H_
