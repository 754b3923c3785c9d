#include "proptests/random_run.h"

#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "proptests/found_scenario.h"
#include "proptests/last_words.h"
#include "proptests/lockstep.h"
#include "proptests/swarm.h"

namespace lockd::proptests {
namespace {

// A session that only looks.
constexpr SessionId onlooker{std::numeric_limits<std::uint64_t>::max()};

Lockstep::Config config_of(const Profile& profile) {
  return {profile.sessions, profile.shard_count, profile.locks_max, profile.waiters_max, profile.grants_max};
}

Lockstep::Config with_onlooker(Lockstep::Config config) {
  config.sessions.push_back(onlooker);
  return config;
}

// Table, model, and what the sequence came across.
struct Run {
  Run(const Profile& profile, TableMaker maker)
      : config(config_of(profile)),
        pair(with_onlooker(config), maker),
        keys(profile.keys),
        learns_at_once(profile.learns_at_once),
        looks_every(profile.looks_every) {}

  void take(const Step& step) {
    for (std::size_t i = 0; i < step.events.size(); ++i) {
      const bool is_last = i + 1 == step.events.size();
      step.is_crowd && !is_last ? act_unnoticed(step.events[i]) : act(step.events[i]);
    }
    if (++steps % looks_every == 0) look(step.events.back().session);
  }

  void act(const Event& event) {
    tracker.before(pair.model(), event, pair.is_in_flight(event.session));
    act_unnoticed(event);
    const auto replies = pair.replies();
    tracker.after(pair.model(), event, replies);
    for (const model::Reply& reply : replies) {
      if (learns_at_once && pair.is_in_flight(reply.to)) pair.act({.session = reply.to, .what = What::learns});
    }
  }

  // Without asking what situation this is.
  void act_unnoticed(const Event& event) {
    const bool needs_a_wait = event.what == What::learns || event.what == What::times_out;
    if (!needs_a_wait || pair.is_busy(event.session)) events.push_back(event);
    const LastWords words([this] { return say_crash(scenario()); });
    if (const auto difference = pair.act(event)) fail(*difference);
  }

  void look(SessionId asker) {
    const LastWords words([this] { return say_crash(scenario()); });
    if (const auto difference = pair.look()) fail(*difference);
    for (const Key& key : keys) {
      if (const auto difference = pair.look_at(key, {asker, onlooker})) fail(*difference);
      if (const auto difference = pair.look_at_line(key, {asker, onlooker})) fail(*difference);
    }
  }

  void end_all() {
    const LastWords words([this] { return say_crash(scenario() + "# then all sessions end\n"); });
    if (const auto left = pair.end_all()) fail("at rest: " + *left);
  }

  std::string scenario() const {
    return scenario_of(config, events, learns_at_once ? WakeUps::at_once : WakeUps::as_told);
  }

  // What RapidCheck shows of the last, shrunk case.
  void fail(const std::string& difference) const { RC_FAIL("as a scenario:\n" + scenario() + "# " + difference); }

  Lockstep::Config config;
  Lockstep pair;
  std::vector<Key> keys;
  bool learns_at_once;
  int looks_every;
  int steps = 0;
  std::vector<Event> events;  // so far, but for wake-ups and times that are nobody's
  SituationTracker tracker;
};

// RapidCheck's own model: none. Every event is legal to try in every state, so commands have no preconditions and a
// sequence shrinks freely; and the order in which a slice frees locks is the engine's, so that the state after it is
// known only beside the engine. The specification therefore goes along in the Run.
struct Nothing {};

using Command = rc::state::Command<Nothing, Run>;

class StepCommand : public Command {
 public:
  explicit StepCommand(Step step) : step_(std::move(step)) {}

  void run(const Nothing&, Run& run) const override { run.take(step_); }
  void show(std::ostream& out) const override { out << step_; }

 private:
  Step step_;
};

rc::Gen<std::shared_ptr<const Command>> commands(std::shared_ptr<const Profile> profile) {
  return rc::gen::map(steps(std::move(profile)), [](Step step) -> std::shared_ptr<const Command> {
    return std::make_shared<StepCommand>(std::move(step));
  });
}

}  // namespace

SituationTracker run_random_sequence(TableMaker maker, const AtRest& at_rest) {
  const auto profile = std::make_shared<const Profile>(*profiles());
  const auto next = [profile](const Nothing&) { return commands(profile); };
  const auto sequence = *rc::gen::scale(3.0, rc::state::gen::commands(Nothing{}, next));
  Run run(*profile, maker);
  rc::state::runAll(sequence, Nothing{}, run);
  run.look(onlooker);
  run.end_all();
  if (at_rest) at_rest(run.pair.take_table(), profile->shard_count);
  return run.tracker;
}

void set_sequence_count(int count) {
  const char* const given = std::getenv("RC_PARAMS");  // NOLINT(concurrency-mt-unsafe): no other thread
  std::string parameters = given == nullptr ? "" : given;
  if (parameters.find("max_success=") == std::string::npos) parameters += " max_success=" + std::to_string(count);
  setenv("RC_PARAMS", parameters.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): likewise
  std::cout << "RC_PARAMS=" << parameters << '\n' << std::flush;
}

}  // namespace lockd::proptests
