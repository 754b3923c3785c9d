// The traffics, written as a client would type them, and their playing.
#include "server/test_traffic.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "engine/check.h"

namespace lockd::server {
namespace {

constexpr std::size_t usual_clients = 16;

// 21 bytes.
std::string key_of(std::size_t client, std::size_t number) {
  const std::string digits = std::to_string(client * 1000 + number);
  return "traffic-" + std::string(13 - digits.size(), '0') + digits;
}

/// A verb with its reply, both without the key.
struct Verb {
  std::string_view request;
  std::string_view reply;
};

constexpr Verb g{"g", "1 Lock Get Success"};
constexpr Verb g_taken{"g", "0 Lock Get Failure"};
constexpr Verb r{"r", "1 Lock Release Success"};
constexpr Verb i{"i", "1 Lock Is Locked"};
constexpr Verb sg{"sg", "1 Shared Lock Get Success"};
constexpr Verb sr{"sr", "1 Shared Lock Release Success"};

void append(TrafficStep& step, const Verb& verb, const std::string& key) {
  step.requests += std::string(verb.request) + " " + key + "\n";
  step.replies += std::string(verb.reply) + ": " + key + "\n";
}

// Each client asks these verbs of one own key after the other, `depth` requests a read; there are as many keys as it
// takes for whole reads.
std::vector<TrafficStep> on_own_keys(std::initializer_list<Verb> verbs, std::size_t depth,
                                     std::size_t owner_shift = 0) {
  std::vector<TrafficStep> steps;
  for (std::size_t client = 0; client < usual_clients; ++client) {
    const std::size_t owner = (client + owner_shift) % usual_clients;
    std::size_t pending = 0;
    for (std::size_t number = 0; number < depth; ++number) {
      for (const Verb& verb : verbs) {
        if (pending++ % depth == 0) steps.push_back({client, {}, {}});
        append(steps.back(), verb, key_of(owner, number));
      }
    }
  }
  return steps;
}

Traffic own_keys(std::string name, std::initializer_list<Verb> verbs, std::size_t depth) {
  return {std::move(name), usual_clients, {}, on_own_keys(verbs, depth)};
}

// Each client takes many keys before it releases them: thousands of locks at a time, where the others have a few.
Traffic hoard(std::size_t depth) {
  constexpr std::size_t keys = 250;
  Traffic traffic{.name = "hoard_" + std::to_string(depth), .client_count = usual_clients, .grows = true};
  for (const Verb& verb : {g, r}) {
    for (std::size_t client = 0; client < usual_clients; ++client) {
      for (std::size_t number = 0; number < keys; ++number) {
        if (number % depth == 0) traffic.round.push_back({client, {}, {}});
        append(traffic.round.back(), verb, key_of(client, number));
      }
    }
  }
  return traffic;
}

// All hold their keys; each asks for its own, or for its neighbour's.
Traffic held_keys(std::string name, const Verb& verb, std::size_t depth, std::size_t owner_shift) {
  return {std::move(name), usual_clients, on_own_keys({g}, depth), on_own_keys({verb}, depth, owner_shift)};
}

// The last client comes and goes where the others stay.
Traffic crowd() {
  Traffic traffic{"crowd_16", usual_clients, {}, {{usual_clients - 1, {}, {}}}};
  const std::string key = key_of(0, 0);
  for (std::size_t client = 0; client + 1 < usual_clients; ++client) {
    const std::string granted = std::to_string(client + 1) + " Shared Lock Get Success";
    append(traffic.opening.emplace_back(TrafficStep{client, {}, {}}), {"sg", granted}, key);
  }
  for (int times = 0; times < 4; ++times) {
    append(traffic.round[0], {"sg", "16 Shared Lock Get Success"}, key);
    append(traffic.round[0], {"si", "16 Shared Lock Is Locked"}, key);
    append(traffic.round[0], sr, key);
    append(traffic.round[0], {"si", "15 Shared Lock Is Locked"}, key);
  }
  return traffic;
}

// Two clients hand one key to one another: who has it releases it and is in line again with one read.
Traffic hand_over(std::string name, const Verb& give, const Verb& wait) {
  const std::string key = key_of(0, 0);
  TrafficStep given{0, {}, {}};
  TrafficStep waited{0, {}, {}};
  append(given, give, key);
  append(waited, wait, key);
  const std::string requests = given.requests + waited.requests;
  return {std::move(name),
          2,
          {waited, {1, waited.requests, {}}},
          {{0, requests, given.replies + waited.replies}, {1, requests, waited.replies + given.replies}}};
}

Traffic pings() {
  Traffic traffic{"ping_16", 1, {}, {{0, {}, {}}}};
  for (int times = 0; times < 16; ++times) {
    traffic.round[0].requests += "ping\n";
    traffic.round[0].replies += "1 pong\n";
  }
  return traffic;
}

// What production has with one thread, but for the seed.
engine::ShardedTable<engine::NullMutex>::Config table_config() { return {.seed = {1, 2}, .shard_count = 1}; }

}  // namespace

std::size_t Traffic::request_count() const {
  std::size_t count = 0;
  for (const TrafficStep& step : round) count += static_cast<std::size_t>(std::ranges::count(step.requests, '\n'));
  return count;
}

std::vector<Traffic> all_traffic() {
  return {own_keys("own_keys_1", {g, r}, 1),
          own_keys("own_keys_16", {g, r}, 16),
          own_keys("own_keys_100", {g, r}, 100),
          hoard(16),
          own_keys("shared_1", {sg, sr}, 1),
          own_keys("shared_16", {sg, sr}, 16),
          held_keys("inspect_1", i, 1, 0),
          held_keys("inspect_16", i, 16, 0),
          held_keys("taken_16", g_taken, 16, 1),
          crowd(),
          hand_over("hand_over", r, {"gw 60000", g.reply}),
          hand_over("shared_hand_over", sr, {"sgw 1 60000", sg.reply}),
          pings()};
}

TrafficPlay::TrafficPlay(const Traffic& traffic) : server_(Settings{}, table_config()), traffic_(traffic) {
  for (std::size_t number = 1; number <= traffic.client_count; ++number) clients_.emplace_back(server_, number);
  for (const TrafficStep& step : traffic.opening) {
    LOCKD_CHECK(replies_of(step) == step.replies, "the opening is answered as it says");
  }
  for (const TrafficStep& step : traffic.round) reply_bytes_ += step.replies.size();
}

bool TrafficPlay::serve(const TrafficStep& step) {
  TestClient& client = clients_[step.client];
  client.receive(step.requests);
  while (client.next == Next::turn || client.next == Next::drain) client.go_on();
  if (server_.turn.woken.empty()) return false;
  server_.bring_wakeups();
  return true;
}

std::size_t TrafficPlay::take_bytes(TestClient& client) {
  const std::size_t byte_count = client.output.size();
  client.output.clear();  // and keeps its memory, as the buffer of an I/O thread does
  return byte_count;
}

void TrafficPlay::play() {
  std::size_t byte_count = 0;
  for (const TrafficStep& step : traffic_.round) {
    const bool others_are_answered = serve(step);
    byte_count += take_bytes(clients_[step.client]);
    if (!others_are_answered) continue;
    for (TestClient& client : clients_) byte_count += take_bytes(client);
  }
  LOCKD_CHECK(byte_count == reply_bytes_, "a round is answered as it says");
}

std::string TrafficPlay::replies_of(const TrafficStep& step) {
  serve(step);
  std::string replies;
  for (TestClient& client : clients_) replies += client.take_output();
  return replies;
}

std::string TrafficPlay::compare() {
  for (const TrafficStep& step : traffic_.round) {
    if (const std::string replies = replies_of(step); replies != step.replies) {
      return "to " + step.requests + "came " + replies + "and not " + step.replies;
    }
  }
  return {};
}

}  // namespace lockd::server
