// Load for a server: connections, several requests in flight on each, every reply checked.
#ifndef LOCKD_BENCH_LOAD_GENERATOR_H_
#define LOCKD_BENCH_LOAD_GENERATOR_H_

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/latency.h"
#include "bench/poller.h"
#include "bench/script.h"
#include "bench/socket.h"

namespace lockd::bench {

/// The server as the load generator sees it.
struct Target {
  std::uint16_t port = 0;        // on 127.0.0.1
  std::optional<pid_t> process;  // whose processor time counts
};

/// What came of one round.
struct LoadFigures {
  std::uint64_t requests = 0;        // answered while it was measured
  std::uint64_t requests_total = 0;  // and before, in the opening and the warming up
  double seconds = 0;                // for how long it was measured
  double cpu_ns_per_request = 0;     // of the server, all its threads, user and system; 0 without its process
  double server_busy = 0;            // the server's processor time in a second of the clock
  double load_busy = 0;              // the processor time of this process in a second of the clock: it never sleeps
  double load_waited = 0;            // the part of the time in which no reply was there to be read
  LatencySummary batch;              // from the sending of a batch to the last byte of its replies

  double requests_per_second() const { return static_cast<double>(requests) / seconds; }
};

/// One round against one server, from the connecting to the closing (by RST: nothing of it lingers in the kernel).
/// For one thread.
class LoadGenerator {
 public:
  using Duration = std::chrono::nanoseconds;

  /// Opens shape.connections. Throws std::invalid_argument on a shape that makes no sense.
  LoadGenerator(const Target& target, const Shape& shape);
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator();

  /// Goes on until each connection has done its opening, warms up, then measures. Once. Throws on the first byte that
  /// is not as expected.
  LoadFigures run(Duration warm_up, Duration duration);

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    Channel channel;
    Script script;
    const Batch* batch = nullptr;  // in flight
    std::size_t opened = 0;        // batches of the opening that went out
    bool is_open = false;          // all of it is answered
    std::size_t turn = 0;          // which batch of the loop comes next
    std::size_t matched = 0;       // bytes of its exact replies that have come, or else number of its replies
    std::string partial;           // the beginning of a reply, where replies are not exact
    Clock::time_point sent_at;
  };

  void send_next(Client& client, Clock::time_point now);
  void serve(Client& client);
  void match(Client& client, std::string_view bytes);
  static bool is_answered(Client& client, std::string_view bytes);
  static bool is_answered_exactly(Client& client, std::string_view bytes);
  void run_while(const std::function<bool(Clock::time_point now)>& goes_on);
  void run_until(Clock::time_point end);

  Target target_;
  Poller poller_;
  std::vector<Client> clients_;
  std::size_t open_ = 0;        // clients that are
  std::uint64_t requests_ = 0;  // answered
  LatencySamples samples_;
  Duration waited_{};  // with nothing to read
  std::array<char, 262'144> buffer_{};
};

/// Connections that stay beside a load and do nothing. All end at once with this object, by RST.
class Bystanders {
 public:
  Bystanders() = default;
  Bystanders(Bystanders&&) = default;
  Bystanders& operator=(Bystanders&&) = delete;
  ~Bystanders();

  /// Opens `count`, each answered once, so that the server has it: a ping, or for `share_crowd` a share of crowd_key.
  void add(const Target& target, Dialect dialect, std::size_t count, bool share_crowd);

 private:
  std::vector<Socket> sockets_;
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_LOAD_GENERATOR_H_
