// A closed loop on each connection: the next batch goes out when the last byte of the replies to the one before is in.
#include "bench/load_generator.h"

#include <fmt/core.h>

#include <stdexcept>

namespace lockd::bench {

LoadScript::LoadScript(std::size_t connection, std::size_t depth) {
  for (std::size_t number = 0; number < 2 * depth; ++number) {
    const std::string key = fmt::format("load-{:05}-{:010}", connection, number / 2);
    const bool get = number % 2 == 0;
    requests[number / depth] += fmt::format("{} {}\n", get ? "g" : "r", key);
    replies[number / depth] += fmt::format("1 Lock {} Success: {}\n", get ? "Get" : "Release", key);
  }
}

LoadGenerator::LoadGenerator(const ServerProcess& server, std::size_t connections, std::size_t depth)
    : server_(server), depth_(depth) {
  clients_.reserve(connections);
  for (std::size_t number = 0; number < connections; ++number) {
    Client& client = clients_.emplace_back(Channel(Socket::connect_to(server.port())), LoadScript(number, depth));
    poller_.add(client.channel.socket(), number);
  }
}

LoadFigures LoadGenerator::run(std::chrono::nanoseconds duration) {
  for (Client& client : clients_) send_batch(client);
  run_until(Clock::now() + duration / 10);
  batches_ = 0;
  samples_ = {};
  const Clock::time_point start = Clock::now();
  const auto cpu_before = server_.cpu_time();
  run_until(start + duration);
  const std::chrono::duration<double, std::nano> cpu = server_.cpu_time() - cpu_before;
  const std::chrono::duration<double> seconds = Clock::now() - start;
  const auto requests = static_cast<double>(batches_ * depth_);
  return {.requests_per_second = requests / seconds.count(),
          .cpu_ns_per_request = cpu.count() / requests,
          .batch = samples_.summary()};
}

void LoadGenerator::run_until(Clock::time_point end) {
  while (Clock::now() < end) {
    poller_.wait([this](std::size_t number) { serve(clients_[number]); });
  }
}

void LoadGenerator::send_batch(Client& client) {
  client.sent_at = Clock::now();
  client.channel.send(client.script.requests[client.turn]);
}

void LoadGenerator::serve(Client& client) {
  client.channel.flush();
  for (;;) {
    const std::string_view bytes = client.channel.receive(buffer_);
    if (!bytes.empty()) match(client, bytes);
    if (bytes.size() < buffer_.size()) return;  // all is read, until the next edge
  }
}

void LoadGenerator::match(Client& client, std::string_view bytes) {
  const std::string& expected = client.script.replies[client.turn];
  if (bytes != std::string_view(expected).substr(client.matched, bytes.size())) {
    throw std::runtime_error("wrong bytes came: " + std::string(bytes));
  }
  client.matched += bytes.size();
  if (client.matched < expected.size()) return;
  ++batches_;
  samples_.add(Clock::now() - client.sent_at);
  client.matched = 0;
  client.turn = 1 - client.turn;
  send_batch(client);
}

}  // namespace lockd::bench
