// Random sequences of events on the engine and on its specification, every answer and every look compared (RapidCheck's
// state testing). Each sequence is drawn from a profile of its own (swarm): few or many sessions, hot and cold keys,
// some verbs left out and others preferred; so that runs differ in kind, and a cap, an overflow or a rehash is met that
// an even mix never meets.
//
// RC_PARAMS in the environment sets the seed ("seed=7"); RapidCheck prints it, and on failure the shrunk sequence as
// lines of a scenario.
#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "proptests/faulty_tables.h"
#include "proptests/lockstep.h"
#include "proptests/situations.h"

namespace lockd::proptests {
namespace {

// What one sequence is drawn from. A bag holds an element as often as it is preferred.
struct Profile {
  std::uint32_t shard_count = 1;
  std::uint64_t locks_max = 0;
  std::vector<SessionId> sessions;
  std::vector<Key> keys;  // all, to be looked at
  std::vector<SessionId> session_bag;
  std::vector<Key> key_bag;
  std::vector<int> action_bag;  // indices of `actions`, or take_many
};

std::ostream& operator<<(std::ostream& out, const Profile& profile) {
  return out << "# " << profile.shard_count << " shards, max-locks " << profile.locks_max << " (0: none), "
             << profile.sessions.size() << " sessions, " << profile.keys.size() << " keys";
}

// A session that only looks.
constexpr SessionId onlooker{std::numeric_limits<std::uint64_t>::max()};

std::vector<SessionId> with_onlooker(std::vector<SessionId> sessions) {
  sessions.push_back(onlooker);
  return sessions;
}

// Engine, model, and what the sequence came across.
template <class Table>
struct Run {
  explicit Run(const Profile& profile)
      : pair({with_onlooker(profile.sessions), profile.shard_count, profile.locks_max}), keys(profile.keys) {}

  void act(const Event& event) {
    tracker.before(pair.model(), event);
    if (const auto difference = pair.act(event)) RC_FAIL(*difference);
    tracker.after(pair.model(), event);
  }

  // Without asking what situation this is.
  void act_unnoticed(const Event& event) {
    if (const auto difference = pair.act(event)) RC_FAIL(*difference);
  }

  void look(SessionId asker) {
    if (const auto difference = pair.look()) RC_FAIL(*difference);
    for (const Key& key : keys) {
      if (const auto difference = pair.look_at(key, {asker, onlooker})) RC_FAIL(*difference);
    }
  }

  Lockstep<Table> pair;
  std::vector<Key> keys;
  SituationTracker tracker;
};

// RapidCheck's own model: none. Every event is legal to try in every state, so commands have no preconditions and a
// sequence shrinks freely; and the order in which a slice frees locks is the engine's, so that the state after it is
// known only beside the engine. The specification therefore goes along in the Run.
struct Nothing {};

template <class Table>
using Command = rc::state::Command<Nothing, Run<Table>>;

template <class Table>
class OneEvent : public Command<Table> {
 public:
  explicit OneEvent(Event event) : event_(std::move(event)) {}

  void run(const Nothing&, Run<Table>& run) const override {
    run.act(event_);
    run.look(event_.session);
  }
  void show(std::ostream& out) const override { out << event_; }

 private:
  Event event_;
};

// One session takes many keys, and all is looked at when it has: the way to a full table in few commands.
template <class Table>
class TakeMany : public Command<Table> {
 public:
  TakeMany(SessionId session, Verb verb, int count) : session_(session), verb_(verb), count_(count) {}

  void run(const Nothing&, Run<Table>& run) const override {
    for (int i = 0; i + 1 < count_; ++i) run.act_unnoticed(nth(i));
    run.act(nth(count_ - 1));
    run.look(session_);
  }
  void show(std::ostream& out) const override {
    for (int i = 0; i < count_; ++i) out << nth(i) << (i + 1 < count_ ? "\n" : "");
  }

 private:
  Event nth(int i) const { return {session_, verb_, "many" + std::to_string(i)}; }

  SessionId session_;
  Verb verb_;
  int count_;
};

constexpr int take_many = -1;
const std::vector<Event> actions = {
    {.verb = Verb::get},     {.verb = Verb::get_shared},     {.verb = Verb::release}, {.verb = Verb::release_shared},
    {.verb = Verb::inspect}, {.verb = Verb::inspect_shared}, {.budget = all_locks},   {.budget = 1},
    {.budget = 2},
};

// Keys that are alike in some way, then any number.
std::vector<Key> first_keys(std::size_t count) {
  std::vector<Key> keys = {"a",
                           "b",
                           "",
                           "ab",
                           "A",
                           std::string(24, 'a'),
                           std::string(25, 'a'),
                           std::string(1, '\0'),
                           "\xff",
                           "constructor",
                           std::string(25, 'b'),
                           std::string(200, 'a')};
  for (std::size_t i = 0; keys.size() < count; ++i) keys.push_back("k" + std::to_string(i));
  keys.resize(count);
  return keys;
}

template <class T>
void prefer_some(std::vector<T>& bag, std::size_t times) {
  const std::size_t hot = *rc::gen::element<std::size_t>(0, 0, 1, 2, 3);
  const std::vector<T> all = bag;
  for (std::size_t i = 0; i < std::min(hot, all.size()); ++i) bag.insert(bag.end(), times, all[i]);
}

// 0 to n - 1, at every size (inRange alone stays near 0 in the first sequences of a run).
rc::Gen<int> below(int n) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, n)); }

rc::Gen<Profile> profiles() {
  return rc::gen::exec([] {
    Profile profile;
    profile.shard_count = *rc::gen::element<std::uint32_t>(1, 16);
    profile.locks_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2, 4);
    const auto session_count = *rc::gen::element<std::uint64_t>(1, 2, 3, 4, 8, 20, 20, 20);
    const auto id_step = *rc::gen::element<std::uint64_t>(1, std::uint64_t{1} << 32);
    for (std::uint64_t i = 0; i < session_count; ++i) profile.sessions.push_back(SessionId{1 + i * id_step});
    profile.keys = first_keys(*rc::gen::element<std::size_t>(1, 1, 2, 3, 5, 12, 40));
    profile.session_bag = profile.sessions;
    prefer_some(profile.session_bag, profile.sessions.size());
    profile.key_bag = profile.keys;
    prefer_some(profile.key_bag, profile.keys.size());
    for (int i = 0; i < static_cast<int>(actions.size()); ++i) {
      const bool ends = !actions[static_cast<std::size_t>(i)].verb;
      const int weight = ends ? *rc::gen::element(0, 0, 1, 2) : *rc::gen::element(0, 1, 4, 16);
      profile.action_bag.insert(profile.action_bag.end(), static_cast<std::size_t>(weight), i);
    }
    if (profile.action_bag.empty()) profile.action_bag.push_back(0);
    if (*below(50) == 49) {
      profile.locks_max = 0;
      profile.action_bag.insert(profile.action_bag.end(), 3, take_many);
    }
    return profile;
  });
}

template <class Table>
rc::Gen<std::shared_ptr<const Command<Table>>> commands(const std::shared_ptr<const Profile>& profile) {
  return rc::gen::exec([profile]() -> std::shared_ptr<const Command<Table>> {
    const SessionId session = *rc::gen::elementOf(profile->session_bag);
    const int action = *rc::gen::elementOf(profile->action_bag);
    if (action == take_many) {
      const Verb verb = *rc::gen::element(Verb::get, Verb::get_shared);
      return std::make_shared<TakeMany<Table>>(session, verb, 900 + *below(400));
    }
    Event event = actions[static_cast<std::size_t>(action)];
    event.session = session;
    if (event.verb) event.key = *rc::gen::elementOf(profile->key_bag);
    return std::make_shared<OneEvent<Table>>(std::move(event));
  });
}

// Draws a sequence and runs it; RapidCheck gets to know of a difference by an exception. The generator keeps the
// profile: it shrinks commands when this function has long returned.
template <class Table>
SituationTracker run_one() {
  const auto profile = std::make_shared<const Profile>(*profiles());
  const auto next = [profile](const Nothing&) { return commands<Table>(profile); };
  const auto sequence = *rc::gen::scale(3.0, rc::state::gen::commands(Nothing{}, next));
  Run<Table> run(*profile);
  rc::state::runAll(sequence, Nothing{}, run);
  return run.tracker;
}

TEST(Conformance, X1_X2_X3_H1_H2_H3_S2_S5_L1_L3_engine_and_model_agree) {
  SituationTally tally;
  ASSERT_TRUE(rc::check("engine and model agree", [&] { tally.add(run_one<EngineTable>().seen()); }));
  std::printf("%lu sequences; situation, sequences with it, floor:\n", tally.sequence_count());
  for (const SituationRow& row : situation_table) {
    std::printf("%-36s %7lu %7.0f\n", std::string(row.name).c_str(), tally.count(row.situation), tally.floor(row));
    EXPECT_GE(static_cast<double>(tally.count(row.situation)), tally.floor(row)) << "came up too rarely: " << row.name;
  }
}

// Canaries: faults that no search of few steps finds. RapidCheck reports each on stderr as a failure, which is what is
// wanted.
TEST(ConformanceCanary, H1_a_cap_of_twelve_holders_is_found) {
  EXPECT_FALSE(rc::check("at most twelve holders", [] { run_one<CapsHolders<12>>(); }));
}

TEST(ConformanceCanary, L3_a_count_that_stops_at_a_thousand_keys_is_found) {
  EXPECT_FALSE(rc::check("at most a thousand keys", [] { run_one<CapsKeys<1000>>(); }));
}

}  // namespace
}  // namespace lockd::proptests

// RapidCheck takes its parameters from the environment alone, where the number of sequences may be set too.
int main(int argument_count, char** arguments) {
  const char* const given = std::getenv("RC_PARAMS");  // NOLINT(concurrency-mt-unsafe): no other thread yet
  std::string parameters = given == nullptr ? "" : given;
  if (parameters.find("max_success=") == std::string::npos) parameters += " max_success=" LOCKD_SEQUENCES;
  setenv("RC_PARAMS", parameters.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): as above
  std::printf("RC_PARAMS=%s\n", parameters.c_str());
  testing::InitGoogleTest(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
