// Load for a server: connections that acquire and release locks of their own, several requests in flight on each.
#ifndef LOCKD_BENCH_LOAD_GENERATOR_H_
#define LOCKD_BENCH_LOAD_GENERATOR_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/latency.h"
#include "bench/poller.h"
#include "bench/server_process.h"
#include "bench/socket.h"

namespace lockd::bench {

/// What one connection sends, batch by batch in turn, and the bytes that must come back: `g K`, `r K`, `g L`, `r L` and
/// so on over `depth` keys of 21 bytes that are its own. With an odd depth a pair is torn over two batches.
struct LoadScript {
  LoadScript(std::size_t connection, std::size_t depth);

  std::array<std::string, 2> requests;
  std::array<std::string, 2> replies;
};

/// What came of one round.
struct LoadFigures {
  double requests_per_second = 0;
  double cpu_ns_per_request = 0;  // of the server, all its threads, user and system
  LatencySummary batch;           // from the sending of a batch to the last byte of its replies
};

/// One round against one server, from the connecting to the closing. For one thread.
class LoadGenerator {
 public:
  /// Opens `connections`, each with `depth` requests in flight.
  LoadGenerator(const ServerProcess& server, std::size_t connections, std::size_t depth);

  /// Warms up for a tenth of `duration`, then measures for `duration`. Throws on the first byte that is not as
  /// expected.
  LoadFigures run(std::chrono::nanoseconds duration);

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    Channel channel;
    LoadScript script;
    std::size_t turn = 0;     // which of the two batches is in flight
    std::size_t matched = 0;  // bytes of its replies that have come
    Clock::time_point sent_at;
  };

  static void send_batch(Client& client);
  void serve(Client& client);
  void match(Client& client, std::string_view bytes);
  void run_until(Clock::time_point end);

  const ServerProcess& server_;
  std::size_t depth_;
  Poller poller_;
  std::vector<Client> clients_;
  std::size_t batches_ = 0;  // answered, since the warming up
  LatencySamples samples_;   // of the same
  std::array<char, 65536> buffer_{};
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_LOAD_GENERATOR_H_
