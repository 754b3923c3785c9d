// What the world around the threads does: clients, network, time, and faults.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/timer.h"
#include "simulator/world.h"

namespace lockd::simulator {

namespace asio_error = boost::asio::error;
using std::chrono::milliseconds;

namespace {

constexpr std::array<std::string_view, deed_count> names = {"connect",
                                                            "ask",
                                                            "deliver",
                                                            "notify",
                                                            "take",
                                                            "fire",
                                                            "pass time",
                                                            "fault: jump of the clock",
                                                            "fault: stop reading",
                                                            "fault: FIN",
                                                            "fault: RST",
                                                            "fault: host vanishes",
                                                            "fault: failed write",
                                                            "fault: not ready",
                                                            "fault: too many"};

}  // namespace

template <class Condition>
Client* World::draw_client(Condition condition) {
  std::vector<Client*> fit;
  for (auto& [number, client] : clients_) {
    if (condition(client)) fit.push_back(&client);
  }
  return fit.empty() ? nullptr : simulation_.random.pick(fit);
}

void World::do_something() {
  const auto deed = static_cast<Deed>(draw_weighted(simulation_.random, profile_.deed_weights));
  if (act(deed)) simulation_.count(names[static_cast<std::size_t>(deed)]);
}

/// False where there was nothing to do it to.
bool World::act(Deed deed) {
  Client* client = nullptr;
  switch (deed) {
    case Deed::connect:
    case Deed::too_many:
      // With the reference server, ends must not pile up (EndQueue), so nobody comes as long as there is work.
      if (clients_.size() >= profile_.clients_max || (reference_ && !runnable().empty())) return false;
      connect(deed == Deed::too_many);
      return true;
    case Deed::ask:
      return ask();
    case Deed::deliver:
      client = draw_client([](const Client& each) { return each.link->can_deliver(); });
      if (client != nullptr)
        client->link->deliver(simulation_.random.between(1, simulation_.random.chance(500) ? 8 : 4096));
      return client != nullptr;
    case Deed::notify:
      client = draw_client([](const Client& each) { return each.link->has_event(); });
      return client != nullptr && workers_[client->thread]->poller.wake();
    case Deed::take:
      return take();
    case Deed::fire:
      return fire();
    case Deed::pass_time:
      pass_time(milliseconds(simulation_.random.between(1, 10)));
      return true;
    case Deed::jump:
      return jump();
    default:
      return fault(deed);
  }
}

/// As Server does with what it accepts.
Client& World::connect(bool refused) {
  const std::size_t thread = simulation_.random.below(workers_.size());
  Worker& worker = *workers_[thread];
  Client& client = clients_[++last_client_];
  client.number = last_client_;
  client.is_refused = refused;
  client.thread = thread;
  client.link = std::make_shared<Link>(worker.context);
  worker.poller.watch(client.link);
  client.link->window = profile_.window;
  client.link->read_bytes_max = profile_.read_bytes_max;
  simulation_.trace.note("connect", client.number, thread);
  const auto connection = std::make_shared<Connection>(worker, Socket(client.link), refused ? refused_ : served_);
  const SessionId id{client.number};
  const std::string address = "[::1]:" + std::to_string(client.number);
  if (refused) {
    client.written = "0 Too Many Connections\n";
    boost::asio::post(worker.context, [connection] { connection->refuse(); });
  } else {
    boost::asio::post(worker.context, [=] { connection->serve(id, address); });
  }
  return client;
}

void World::send(Client& client, std::string_view bytes) {
  simulation_.trace.note("sends", client.number, bytes.size());
  client.sent += bytes;
  client.link->send(bytes);
}

bool World::ask() {
  Random& random = simulation_.random;
  Client* client = draw_client([](const Client& each) { return !each.has_finished && !each.is_gone; });
  if (client == nullptr) return false;
  if (client->unsent.empty()) {
    for (std::size_t i = random.chance(200) ? random.between(2, 6) : 1; i > 0; --i)
      client->unsent += profile_.draw_request(random);
  }
  const std::size_t bytes = random.chance(200) ? random.between(1, client->unsent.size()) : client->unsent.size();
  send(*client, client->unsent.substr(0, bytes));
  client->unsent.erase(0, bytes);
  return true;
}

bool World::take() {
  Client* client = draw_client([](const Client& each) { return each.reads && each.link->to_take() > 0; });
  if (client == nullptr) return false;
  take_from(*client, simulation_.random.between(1, simulation_.random.chance(500) ? 16 : 65536));
  return true;
}

/// F5, S3: what the client gets is what its session wrote, from the first byte on.
void World::take_from(Client& client, std::size_t bytes_max) {
  const std::string bytes = client.link->take(bytes_max);
  simulation_.trace.note("takes", client.number, bytes.size(), bytes);
  require(std::string_view(client.written).substr(client.received, bytes.size()) == bytes,
          "a client gets other bytes than its session wrote");
  client.received += bytes.size();
}

bool World::fire() {
  std::vector<std::uint64_t> due;
  for (const auto& [number, alarm] : simulation_.alarms) {
    if (alarm.at <= simulation_.now) due.push_back(number);
  }
  if (due.empty()) return false;
  if (due.size() > 1) simulation_.count("several timers due");
  Timer::fire(simulation_.random.pick(due));
  return true;
}

void World::pass_time(milliseconds time) {
  simulation_.now += time;
  simulation_.trace.note("time", static_cast<std::uint64_t>(time.count()));
}

bool World::jump() {
  std::vector<milliseconds> ahead;
  for (const auto& [number, alarm] : simulation_.alarms) {
    if (alarm.at > simulation_.now) ahead.push_back(std::chrono::ceil<milliseconds>(alarm.at - simulation_.now));
  }
  if (ahead.empty()) return false;
  const std::uint64_t most = simulation_.random.chance(300) ? 60'000 : 2'000;  // that of a thread's later deadlines too
  const milliseconds beyond(simulation_.random.chance(500) ? 0 : simulation_.random.below(most));
  pass_time(simulation_.random.pick(ahead) + beyond);
  return true;
}

bool World::fault(Deed deed) {
  Random& random = simulation_.random;
  Client* client = draw_client([](const Client& each) { return !each.is_gone; });
  if (client == nullptr) return false;
  simulation_.trace.note(names[static_cast<std::size_t>(deed)], client->number);
  switch (deed) {
    case Deed::stop_reading:
      client->reads = !client->reads;
      return !client->reads;
    case Deed::half_close:
      if (client->has_finished) return false;
      client->has_finished = true;
      client->link->finish();
      return true;
    case Deed::reset:
      client->is_gone = true;
      client->link->break_off(asio_error::connection_reset, random.chance(500));
      return true;
    case Deed::vanish:
      client->is_gone = true;
      client->link->break_off(random.chance(500) ? asio_error::timed_out : asio_error::host_unreachable, false);
      return true;
    case Deed::fail_write:
      client->is_gone = true;
      client->link->fail_write(asio_error::broken_pipe);
      return true;
    default:
      client->link->call_ready();
      return client->link->has_event() && workers_[client->thread]->poller.wake();
  }
}

}  // namespace lockd::simulator
