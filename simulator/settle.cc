// The second phase: the faults have stopped, and all must come to a good end.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <chrono>
#include <string>

#include "simulator/timer.h"
#include "simulator/world.h"

namespace lockd::simulator {

/// One step without faults. Time passes only where nothing else can happen. False where nothing at all can.
bool World::calm_step() {
  ++steps_;
  if (reference_) hold_back_lines();
  const auto ready = runnable();
  if (!ready.empty() && simulation_.random.chance(700)) {
    run_fiber(ready);
  } else {
    bool did = false;
    const std::size_t first = simulation_.random.below(4);
    constexpr std::array deeds = {Deed::deliver, Deed::notify, Deed::take, Deed::fire};
    for (std::size_t i = 0; i < deeds.size() && !did; ++i) did = act(deeds[(first + i) % deeds.size()]);
    if (!did && !ready.empty()) {
      run_fiber(ready);
    } else if (!did) {
      if (simulation_.alarms.empty()) return false;
      const auto next =
          std::ranges::min_element(simulation_.alarms, {}, [](const auto& alarm) { return alarm.second.at; });
      pass_time(std::chrono::ceil<std::chrono::milliseconds>(next->second.at - simulation_.now));
    }
  }
  check_between_steps();
  return true;
}

template <class Condition>
void World::settle(const char* goal, Condition reached) {
  const std::uint64_t steps_max = steps_ + calm_steps_max;
  while (!reached()) {
    require(steps_ < steps_max, std::string("not within so many steps: ") + goal);
    require(calm_step(), std::string("never, as nothing can happen any more: ") + goal);
  }
}

/// All who stopped reading go on, and what was begun to be sent is sent to its end.
void World::stop_faults() {
  simulation_.trace.note("calm");
  is_calm_ = true;
  for (auto& [number, client] : clients_) {
    client.reads = true;
    client.may_lose_replies = client.has_finished || client.is_gone || client.is_ending || client.is_refused;
    if (client.has_finished || client.is_gone) continue;
    send(client, client.unsent + "\nping\n");
    client.unsent.clear();
  }
}

void World::everything_is_answered() {
  settle("everything is answered", [this] {
    return std::ranges::all_of(clients_, [this](const auto& entry) {
      const Client& client = entry.second;
      if (client.is_gone || client.link->is_closed()) return true;
      if (client.has_finished || client.is_refused) return client.link->is_over() && client.link->to_take() == 0;
      const bool is_given = client.executed_from == client.sent.size() || client.is_ending;
      const bool is_done = replies_.is_done(SessionId{client.number}) || client.is_ending;
      return is_given && is_done && client.received == client.written.size();
    });
  });
  simulation_.count("answered in the end", clients_.size());
}

/// Half of them say goodbye, and get what is theirs by then; half do not.
void World::all_leave() {
  for (auto& [number, client] : clients_) {
    if (client.has_finished || client.link->is_broken()) continue;
    if (client.is_gone || simulation_.random.chance(500)) {
      client.is_gone = true;
      client.link->break_off(boost::asio::error::connection_reset, false);
    } else {
      if (!client.is_refused && !client.is_ending) send(client, "ping\ng k0\nsg k0\nping\n");
      client.has_finished = true;
      client.link->finish();
    }
  }
  settle("all connections are gone", [this] {
    remove_the_gone();
    return served_ == 0 && refused_ == 0 && clients_.empty() && runnable().empty();
  });
  check_at_rest();
}

/// Connections that are over at both ends. S3: who said goodbye and took all that he could got all that was written.
void World::remove_the_gone() {
  std::erase_if(clients_, [this](const auto& entry) {
    const Client& client = entry.second;
    if (!client.link->is_closed() || client.link->to_take() > 0) return false;
    const bool has_all = client.received == client.written.size();
    require(!is_calm_ || client.is_gone || client.may_lose_replies || has_all,
            "replies are lost (S3): of client " + std::to_string(client.number));
    return true;
  });
}

/// V7: nothing is left of anybody.
void World::check_at_rest() {
  table_.check();
  const engine::Totals totals = table_.totals();
  for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
    require(totals[kind].keys == 0 && totals[kind].holders == 0 && totals[kind].waiters == 0, "a lock is left (S2)");
    require(totals[kind].orphans == table_.oracle().model().orphans.at(kind), "orphans are counted wrongly (L3)");
  }
  require(registry_.size() == 0, "a session is left (S2)");
  for (const auto& worker : workers_) {
    require(worker->waiting.empty(), "a wait is left");
    require(worker->expiries.is_empty(), "a deadline is left");
    require(worker->services.turn.woken.empty(), "a wake-up is left");
  }
}

void World::newcomer_is_served() {
  Client& client = connect(false);
  std::string expected;
  for (std::size_t i = 0; i < profile_.keys; ++i) {
    const std::string key = "k" + std::to_string(i);
    send(client, std::string("g ").append(key).append("\nsg ").append(key).append("\n"));
    const bool has_room_for_one = profile_.locks_max == 0 || 2 * i < profile_.locks_max;
    const bool has_room_for_two = profile_.locks_max == 0 || 2 * i + 1 < profile_.locks_max;
    expected += (has_room_for_one ? "1 Lock Get Success: " : "0 Too Many Locks: ") + key + "\n";
    expected += (has_room_for_two ? "1 Shared Lock Get Success: " : "0 Too Many Locks: ") + key + "\n";
  }
  settle("a newcomer is served", [&] { return client.received >= expected.size(); });
  require(client.written == expected, "a newcomer does not get every key");
  client.has_finished = true;
  client.link->finish();
  settle("the newcomer is gone", [this] {
    remove_the_gone();
    return served_ == 0 && clients_.empty() && runnable().empty();
  });
  check_at_rest();
  simulation_.count("newcomer served");
}

}  // namespace lockd::simulator
