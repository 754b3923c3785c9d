// A closed loop on each connection: the next batch goes out when the last byte of the replies to the one before is in.
#include "bench/load_generator.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/process_times.h"

namespace lockd::bench {
namespace {

constexpr std::chrono::minutes patience{1};

}  // namespace

LoadGenerator::LoadGenerator(const Target& target, const Shape& shape) : target_(target) {
  clients_.reserve(shape.connections);
  for (std::size_t number = 0; number < shape.connections; ++number) {
    Client& client = clients_.emplace_back();
    client.script = script_of(shape, shape.first + number);
    client.channel = Channel(Socket::connect_to(target.port));
    poller_.add(client.channel.socket(), number);
  }
}

LoadGenerator::~LoadGenerator() {
  for (Client& client : clients_) client.channel.socket().abandon();
}

LoadFigures LoadGenerator::run(Duration warm_up, Duration duration) {
  for (Client& client : clients_) send_next(client, Clock::now());
  run_while([this](Clock::time_point) { return open_ < clients_.size(); });
  run_until(Clock::now() + warm_up);
  const std::uint64_t requests_before = requests_;
  samples_.clear();
  waited_ = {};
  const Clock::time_point start = Clock::now();
  const Duration own_cpu_before = own_cpu_time();
  const Duration cpu_before = target_.process ? cpu_time_of(*target_.process) : Duration{};
  run_until(start + duration);
  const Duration cpu = target_.process ? cpu_time_of(*target_.process) - cpu_before : Duration{};
  const Duration own_cpu = own_cpu_time() - own_cpu_before;
  const Duration passed = Clock::now() - start;

  LoadFigures figures;
  figures.requests = requests_ - requests_before;
  figures.requests_total = requests_;
  figures.seconds = std::chrono::duration<double>(passed).count();
  if (figures.requests == 0) throw std::runtime_error("no request was answered while it was measured");
  figures.cpu_ns_per_request = static_cast<double>(cpu.count()) / static_cast<double>(figures.requests);
  figures.server_busy = static_cast<double>(cpu.count()) / static_cast<double>(passed.count());
  figures.load_busy = static_cast<double>(own_cpu.count()) / static_cast<double>(passed.count());
  figures.load_waited = static_cast<double>(waited_.count()) / static_cast<double>(passed.count());
  figures.batch = samples_.summary();
  return figures;
}

// It never sleeps: a server that has to wake its client with each reply would pay for that, one that is slower more
// often than one that is faster.
void LoadGenerator::run_while(const std::function<bool(Clock::time_point now)>& goes_on) {
  const Poller::Ready ready = [this](std::size_t number) { serve(clients_[number]); };
  Clock::time_point heard = Clock::now();
  for (Clock::time_point now = heard; goes_on(now);) {
    const bool is_heard = poller_.poll(ready) > 0;
    if (is_heard) heard = now;
    if (now - heard > patience) throw std::runtime_error("the server has been silent for a minute");
    const Clock::time_point before = std::exchange(now, Clock::now());
    if (!is_heard) waited_ += now - before;
  }
}

void LoadGenerator::run_until(Clock::time_point end) {
  run_while([end](Clock::time_point now) { return now < end; });
}

void LoadGenerator::send_next(Client& client, Clock::time_point now) {
  if (client.opened < client.script.opening.size()) {
    client.batch = &client.script.opening[client.opened++];
  } else {
    if (!std::exchange(client.is_open, true)) ++open_;
    client.batch = &client.script.loop[client.turn];
    client.turn = client.turn + 1 == client.script.loop.size() ? 0 : client.turn + 1;
  }
  client.matched = 0;
  client.sent_at = now;
  client.channel.send(client.batch->requests);
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
  const bool is_done = client.batch->exact.empty() ? is_answered(client, bytes) : is_answered_exactly(client, bytes);
  if (!is_done) return;
  const Clock::time_point now = Clock::now();
  requests_ += client.batch->count;
  samples_.add(now - client.sent_at);
  send_next(client, now);
}

bool LoadGenerator::is_answered_exactly(Client& client, std::string_view bytes) {
  const std::string_view expected = std::string_view(client.batch->exact).substr(client.matched);
  if (!expected.starts_with(bytes)) {
    throw std::runtime_error(
        fmt::format("a wrong reply: {:?}, where {:?} was expected", bytes.substr(0, 200), expected.substr(0, 200)));
  }
  client.matched += bytes.size();
  return bytes.size() == expected.size();
}

bool LoadGenerator::is_answered(Client& client, std::string_view bytes) {
  client.partial += bytes;
  std::string_view rest = client.partial;
  while (client.matched < client.batch->count) {
    const std::size_t size = match_reply(client.batch->replies[client.matched], rest);
    if (size == 0) break;
    rest.remove_prefix(size);
    ++client.matched;
  }
  const bool is_done = client.matched == client.batch->count;
  if (is_done && !rest.empty()) throw std::runtime_error(fmt::format("nobody asked for: {:?}", rest.substr(0, 200)));
  client.partial.erase(0, client.partial.size() - rest.size());
  return is_done;
}

Bystanders::~Bystanders() {
  for (Socket& socket : sockets_) socket.abandon();
}

void Bystanders::add(const Target& target, Dialect dialect, std::size_t count, bool share_crowd) {
  for (std::size_t number = 0; number < count; ++number) {
    const Exchange asked = share_crowd ? exchange(dialect, Operation::share, crowd_key, number + 1) : greeting(dialect);
    Socket& socket = sockets_.emplace_back(Socket::connect_to(target.port));
    socket.ask(asked.request, asked.yes);
  }
}

}  // namespace lockd::bench
