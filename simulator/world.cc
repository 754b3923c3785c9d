#include "simulator/world.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "engine/check.h"

namespace lockd::simulator {
namespace {

using std::chrono::milliseconds;

std::uint64_t bound(std::uint64_t given) { return given == 0 ? UINT64_MAX : given; }

model::ServerOptions options_of(const Profile& profile) {
  return {.line_bytes_max = profile.settings.line_bytes_max,
          .input_bytes_max = profile.settings.input_bytes_max,
          .max_locks = profile.locks_max,
          .max_waiters = profile.waiters_max,
          .classic = profile.settings.classic,
          .dump_enabled = profile.settings.dump,
          .registry_enabled = profile.settings.registry,
          .version = LOCKD_VERSION};
}

}  // namespace

World::World(std::uint64_t seed, std::FILE* trace_file, FaultName planted)
    : simulation_(seed, trace_file, planted),
      profile_(simulation_.random),
      table_({.seed = {17, 42},
              .shard_count = profile_.shards,
              .locks_max = bound(profile_.locks_max),
              .waiters_max = bound(profile_.waiters_max)}),
      statistics_(profile_.threads),
      turns_(profile_.threads),
      replies_(profile_.settings, table_.oracle()),
      is_busy_(profile_.threads) {
  SessionWatch::watch = this;
  SessionWatch::slice_locks_max = profile_.slice_locks_max;
  if (profile_.threads == 1) {
    reference_.emplace(options_of(profile_));
    simulation_.ahead_of_a_socket = [this] { hold_back_lines(); };
  }
  for (std::uint32_t i = 0; i < profile_.threads; ++i) {
    const server::Services<EdgeMutex> services{
        {profile_.settings, table_, registry_, statistics_[i], statistics_, turns_[i]}};
    workers_.push_back(make_worker(services, peer_timeout, i));
    simulation_.fibers.spawn([this, i] { run_thread(i); });
  }
  std::vector<Worker*> team;
  for (const auto& worker : workers_) team.push_back(worker.get());
  for (const auto& worker : workers_) worker->team = team;
}

World::~World() { SessionWatch::watch = nullptr; }

RunOutcome World::outcome() const { return {std::nullopt, simulation_.trace.hash(), simulation_.tally, steps_}; }

void World::run() {
  while (steps_ < profile_.steps) step();
  stop_faults();
  everything_is_answered();
  all_leave();
  newcomer_is_served();
  is_over_ = true;
  for (std::size_t i = 0; i < workers_.size(); ++i) simulation_.fibers.resume(i);
}

// ---- the watch of sessions ----

void World::begins(SessionId session, const std::string& address) {
  table_.oracle().session_begins(session);
  replies_.begins(session, address);
  if (reference_) reference_->begins(session, address);
}

void World::called(const SessionStep& step) {
  Client& client = clients_.at(static_cast<std::uint64_t>(step.session));
  simulation_.trace.note("session", client.number, static_cast<std::uint64_t>(step.call), step.bytes);
  simulation_.trace.note("written", client.number, static_cast<std::uint64_t>(step.next), step.written);
  require(!client.is_ending, "a session is called after its end began (S2)");
  if (step.call != SessionCall::finish) check_clock(client, step);
  require(std::string_view(client.sent).substr(client.executed_from, step.bytes.size()) == step.bytes,
          "a session is given other bytes than were sent");
  client.executed_from += step.bytes.size();
  client.written += step.written;
  client.asked_to_end = step.next == server::Next::end;
  if (step.call == SessionCall::finish)
    require(client.has_finished && client.executed_from == client.sent.size(), "bytes before the FIN are dropped (S3)");
  if (step.call == SessionCall::receive && step.before == server::Next::wait) simulation_.count("bytes while it waits");
  if (step.next == server::Next::drain) simulation_.count("output full");
  replies_.called(step);
  if (reference_) reference_->called(step);
}

/// Within a pass over sockets the clock is read once, and what a session is told may be as old as that.
void World::check_clock(const Client& client, const SessionStep& step) {
  const auto in_ms = [](Simulation::Moment moment) {
    return static_cast<engine::Moment>(std::chrono::duration_cast<milliseconds>(moment.time_since_epoch()).count());
  };
  const Simulation::Moment pass_began = workers_[client.thread]->poller.pass_began();
  require(step.clock <= in_ms(step.began), "a session is told a moment that is still to come");
  require(step.clock >= in_ms(std::min(step.began, pass_began)), "a session is told a moment before its pass");
  if (step.clock < in_ms(step.began)) simulation_.count("clock of a pass is behind");
}

/// S2: nobody's session ends without a reason.
void World::ends(SessionId session) {
  Client& client = clients_.at(static_cast<std::uint64_t>(session));
  const bool has_stalled = client.link->is_stalled_since(simulation_.now - peer_timeout);
  if (has_stalled) simulation_.count("ended for taking nothing");
  require(client.asked_to_end || client.has_finished || client.is_gone || has_stalled,
          "a session ends without a reason (S2)");
  client.is_ending = true;
  client.may_lose_replies = client.may_lose_replies || has_stalled;
  simulation_.trace.note("ends", client.number);
}

void World::has_ended(SessionId session) {
  simulation_.count("session ended");
  simulation_.trace.note("has ended", static_cast<std::uint64_t>(session));
  require(table_.oracle().model().locks_of(session).empty(), "a session that has ended holds locks (S2)");
  replies_.ended(session);
  if (reference_) reference_->ends(session);
}

// ---- threads ----

void World::run_thread(std::size_t thread) {
  server::Worker<EdgeMutex>& worker = *workers_[thread];
  while (!is_over_) {
    if (!worker.context.is_idle()) {
      is_busy_[thread] = true;
      worker.context.run_one();
      is_busy_[thread] = false;
    }
    simulation_.fibers.yield();
  }
}

std::vector<std::size_t> World::runnable() const {
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto blocked = simulation_.blocked.find(i);
    const bool can_run = is_busy_[i] || !workers_[i]->context.is_idle();
    if (can_run && (blocked == simulation_.blocked.end() || !blocked->second->is_locked())) ready.push_back(i);
  }
  return ready;
}

void World::run_fiber(const std::vector<std::size_t>& ready) {
  const bool stays =
      std::ranges::find(ready, last_fiber_) != ready.end() && !simulation_.random.chance(profile_.switch_per_mille);
  const std::size_t chosen = stays ? last_fiber_ : ready[simulation_.random.below(ready.size())];
  if (chosen != last_fiber_ && is_busy_[last_fiber_]) simulation_.count("switch within a handler");
  last_fiber_ = chosen;
  simulation_.trace.note("thread", chosen);
  simulation_.fibers.resume(chosen);
}

void World::step() {
  ++steps_;
  const auto ready = runnable();
  if (ready.empty() || simulation_.random.chance(profile_.deeds_per_mille)) {
    do_something();
  } else {
    run_fiber(ready);
  }
  check_between_steps();
}

void World::check_between_steps() {
  if (reference_) hold_back_lines();
  if (simulation_.mutexes_held == 0 && simulation_.random.chance(30)) {
    table_.check();
    simulation_.count("table compared with the model");
  }
  if (steps_ % 16 == 0) remove_the_gone();
}

/// See ReferenceOracle.
void World::hold_back_lines() {
  for (auto& [number, client] : clients_) {
    client.link->is_held_back =
        reference_->is_in_flight(SessionId{number}) && client.link->arrived().find('\n') != std::string_view::npos;
  }
}

/// Its fibers stand in the midst of things, and are not to go on: it is left as it is.
void World::abandon(std::unique_ptr<World> world) {
  [[maybe_unused]] const World* const left = world.release();
  SessionWatch::watch = nullptr;
  TableMutex::watch = nullptr;
  TableMutex::peeks = false;
  simulation = nullptr;
}

RunOutcome run_seed(std::uint64_t seed, std::FILE* trace_file, FaultName planted) {
  auto world = std::make_unique<World>(seed, trace_file, planted);
  try {
    world->run();
  } catch (const std::exception& error) {
    RunOutcome outcome = world->outcome();
    outcome.failure = error.what();
    World::abandon(std::move(world));
    return outcome;
  }
  return world->outcome();
}

}  // namespace lockd::simulator
