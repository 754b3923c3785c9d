// Fixed traffic through sessions, without sockets: what is counted of it (allocations, instructions) is the same each
// time. Production's own session and table, its hash seed pinned.
#ifndef LOCKD_SERVER_TEST_TRAFFIC_H_
#define LOCKD_SERVER_TEST_TRAFFIC_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "server/test_server.h"

namespace lockd::server {

/// One read of one client, and what it lets the server send: to this client, and to others in the order of their
/// numbers.
struct TrafficStep {
  std::size_t client;
  std::string requests;
  std::string replies;
};

/// A round leaves the state as it found it, so that it can be played again and again.
struct Traffic {
  std::string name;
  std::size_t client_count;
  std::vector<TrafficStep> opening = {};
  std::vector<TrafficStep> round = {};
  bool grows = false;  // in it the lock table takes chunks of memory and gives them back

  /// Of a round: its lines.
  std::size_t request_count() const;
};

/// Own keys, many of them at a time, shared ones, looks, refusals, waits that are handed over; one request a read, 16
/// and 100.
std::vector<Traffic> all_traffic();

/// The server and the clients of one traffic, after its opening. Stays where it is.
class TrafficPlay {
 public:
  explicit TrafficPlay(const Traffic& traffic);

  /// Plays the round once. Ends the program where the replies do not have as many bytes as they should.
  void play();
  /// The same, and what was wrong: nothing, or the first step with other replies than expected.
  std::string compare();

 private:
  /// Whether others were answered, too.
  bool serve(const TrafficStep& step);
  static std::size_t take_bytes(TestClient& client);
  std::string replies_of(const TrafficStep& step);

  TestServer<> server_;
  const Traffic& traffic_;
  std::size_t reply_bytes_ = 0;  // of a round
  std::deque<TestClient> clients_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_TRAFFIC_H_
