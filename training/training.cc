// What the compiler learns from (LOCKD_PROFILE_GUIDED): built so that it counts its branches, this program plays
// traffic through sessions and lock tables of both kinds, and the daemon is compiled by what was counted. It takes no
// argument, prints nothing, and does the same each time: no socket, thread or clock, and pinned seeds.
//
// The traffic is that of server/test_traffic.h, as many requests of each kind; and as many as all of these together
// that are drawn: all verbs, keys of many lengths, misses, hot keys, waits that are handed over, time out or are
// canceled, mistakes, reads that end amid a line, and clients that leave with their locks.
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

#include "server/test_traffic.h"
#include "training/play.h"

namespace lockd::training {
namespace {

constexpr std::size_t requests_of_each = 2'000;
constexpr std::size_t requests_drawn = 26'000;

template <class Mutex>
void play(const server::Traffic& traffic) {
  Play<Mutex> server(traffic.client_count);
  for (const server::TrafficStep& step : traffic.opening) server.send(step.client, step.requests);
  const std::size_t rounds = requests_of_each / traffic.request_count() + 1;
  for (std::size_t round = 0; round < rounds; ++round)
    for (const server::TrafficStep& step : traffic.round) server.send(step.client, step.requests);
}

/// Draws what clients send. (By the generator alone: the standard says which numbers it has, and not which ones its
/// distributions make of them.)
class Draws {
 public:
  std::size_t below(std::size_t end) { return generator_() % end; }
  bool one_in(std::size_t many) { return below(many) == 0; }

  /// A request that `client` may well make, with its LF.
  std::string request(std::size_t client) {
    if (one_in(200)) return std::string(rare_[below(rare_.size())]) + "\n";
    return std::string(on_a_key_[below(on_a_key_.size())]) + " " + key(client) + "\n";
  }

 private:
  // Its own, or one in four times one that all of them use. Each has a length of its own.
  std::string key(std::size_t client) {
    const bool is_hot = one_in(4);
    const std::size_t number = below(is_hot ? 8 : 32);
    const std::string name = is_hot ? "hot" : "client-" + std::to_string(client);
    return name + ":" + std::string(number * number % 61, 'k') + std::to_string(number);
  }

  static constexpr std::array<std::string_view, 24> on_a_key_ = {
      "g",  "g",  "g",  "g",  "r",       "r",    "r",     "r",          "i", "i",  "sg", "sg",
      "sr", "sr", "si", "si", "gw 1000", "gw 0", "sgl 3", "sgw 2 1000", "t", "st", "iw", "siw"};
  static constexpr std::array<std::string_view, 18> rare_ = {
      "ping",    "ra",       "cancel", "q",    "stats",   "me",   "iam worker", "who",       "list client-1",
      "d hot:0", "sd hot:0", "dump",   "help", "version", "quit", "nonsense",   "gw soon k", "  g   a  key \r"};

  std::mt19937 generator_;
};

template <class Mutex>
void play_drawn() {
  constexpr std::size_t client_count = 16;
  constexpr std::array<std::size_t, 4> depths = {1, 4, 16, 100};
  Play<Mutex> server(client_count);
  Draws draws;
  for (std::size_t sent = 0; sent < requests_drawn;) {
    const std::size_t client = draws.below(client_count);
    if (server.is_waiting(client) && draws.one_in(2)) server.time_out(client);
    if (server.is_waiting(client) && draws.one_in(2)) server.send(client, "cancel\n");
    if (draws.one_in(100)) server.replace(client);
    std::string requests;
    for (std::size_t left = depths[draws.below(depths.size())]; left > 0; --left, ++sent)
      requests += draws.request(client);
    const std::size_t cut = draws.one_in(4) ? draws.below(requests.size()) : 0;
    if (cut > 0) server.send(client, requests.substr(0, cut));
    server.send(client, std::string_view(requests).substr(cut));
  }
}

template <class Mutex>
void play_all() {
  for (const server::Traffic& traffic : server::all_traffic()) play<Mutex>(traffic);
  play_drawn<Mutex>();
}

}  // namespace
}  // namespace lockd::training

int main() {
  lockd::training::play_all<lockd::engine::NullMutex>();
  lockd::training::play_all<std::mutex>();
}
