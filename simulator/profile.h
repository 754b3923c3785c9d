// What a seed's run is like: swarm style, each draws its own mixture.
#ifndef LOCKD_SIMULATOR_PROFILE_H_
#define LOCKD_SIMULATOR_PROFILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/services.h"
#include "simulator/random.h"

namespace lockd::simulator {

/// What the world around the threads can do next.
enum class Deed : std::uint8_t {
  connect,
  ask,        // a client sends requests, or a piece of one
  deliver,    // bytes or a FIN arrive at the server
  notify,     // a socket is found ready
  take,       // a client takes some of its replies
  fire,       // a timer that is due
  pass_time,  // some milliseconds
  jump,       // to the next deadline, or beyond
  // Faults:
  stop_reading,  // a client takes nothing, until it does
  half_close,    // FIN
  reset,         // RST
  vanish,        // its host is not reachable any more
  fail_write,    // the server's next write
  spurious,      // a socket is found ready that is not
  too_many,      // a connection beyond --max-connections
};
inline constexpr std::size_t deed_count = static_cast<std::size_t>(Deed::too_many) + 1;

struct Profile {
  /// one_thread: of a kind that the reference server can follow byte by byte.
  explicit Profile(Random& random);

  /// A request, or several in a row that belong together, each with its LF.
  std::string draw_request(Random& random) const;

  std::size_t threads = 1;
  std::uint32_t shards = 1;
  std::size_t clients_max = 4;
  std::size_t keys = 3;
  std::size_t steps = 2000;
  std::uint64_t locks_max = 0;
  std::uint64_t waiters_max = 0;
  std::size_t slice_locks_max = 128;
  std::size_t read_bytes_max = 4096;
  std::size_t window = 1024;
  std::size_t deeds_per_mille = 300;   // how often the world does something, rather than a thread
  std::size_t switch_per_mille = 500;  // how often another thread goes on, rather than the same
  server::Settings settings;
  std::array<std::size_t, deed_count> deed_weights{};
  std::vector<std::size_t> request_weights;
  std::size_t hot_per_mille = 300;  // how often it is the first key
};

/// One of the indices, each as often as its weight says; their sum is not 0.
template <class Weights>
std::size_t draw_weighted(Random& random, const Weights& weights) {
  std::size_t sum = 0;
  for (const std::size_t weight : weights) sum += weight;
  std::size_t at = random.below(sum);
  std::size_t index = 0;
  while (at >= weights[index]) at -= weights[index++];
  return index;
}

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_PROFILE_H_
