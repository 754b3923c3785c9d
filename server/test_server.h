// A server without sockets, for tests: what sessions share, and clients whose bytes go through theirs.
#ifndef LOCKD_SERVER_TEST_SERVER_H_
#define LOCKD_SERVER_TEST_SERVER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "engine/check.h"
#include "server/session.h"

namespace lockd::server {

/// All that sessions work with, owned. A copy is a server of its own in the same state.
template <class Mutex = engine::NullMutex>
class TestServer {
 public:
  explicit TestServer(const Settings& with = {}, std::uint64_t locks_max = std::numeric_limits<std::uint64_t>::max())
      : settings(with), table({.seed = {1, 2}, .shard_count = 4, .locks_max = locks_max}) {}
  TestServer(const TestServer& other)
      : settings(other.settings), table(other.table), registry(other.registry), statistics(other.statistics) {}
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() = default;

  Settings settings;
  engine::ShardedTable<Mutex> table;
  Registry<Mutex> registry;
  std::array<Statistics, 1> statistics;
  Services<Mutex> services{settings, table, registry, statistics[0], statistics};
};

/// A session together with its pump's part of the work. Client N has the address AN.
class TestClient {
 public:
  TestClient(TestServer<>& server, std::uint64_t number)
      : services_(server.services), session(SessionId{number}, "A" + std::to_string(number), services_) {}

  void receive(std::string_view bytes) { next = session.receive(bytes, services_, output); }
  void go_on() { next = session.go_on(services_, output); }

  /// True once it is over.
  bool end_some(std::size_t budget) { return session.end_some(services_, budget); }
  void end() { LOCKD_CHECK(end_some(std::numeric_limits<std::size_t>::max()), "without a bound one slice is enough"); }

  /// The client takes what is there for it.
  std::string take_output() { return std::exchange(output, {}); }

  /// The client sends bytes and reads along until all is executed, or the session is at its end and over: the replies.
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
    return replies;
  }

 private:
  const Services<engine::NullMutex> services_;

 public:
  Session<engine::NullMutex> session;
  std::string output;  // sent by the session, not yet taken by the client
  Next next = Next::read;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_SERVER_H_
