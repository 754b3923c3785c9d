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
#include <optional>
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
  std::uint64_t waiters_max = 0;
  std::uint64_t grants_max = 0;
  bool learns_at_once = false;  // Wakeups are never in flight when the next event comes
  std::vector<SessionId> sessions;
  std::vector<Key> keys;  // all, to be looked at
  std::vector<SessionId> session_bag;
  std::vector<Key> key_bag;
  std::vector<std::uint32_t> limit_bag;
  std::vector<int> action_bag;  // indices of `actions`, or one of the negative numbers above them
};

std::ostream& operator<<(std::ostream& out, const Profile& profile) {
  return out << "# " << profile.shard_count << " shards, max-locks " << profile.locks_max << ", max-waiters "
             << profile.waiters_max << ", tokens " << profile.grants_max << " (0: no bound), wake-ups arrive "
             << (profile.learns_at_once ? "at once, " : "later, ") << profile.sessions.size() << " sessions, "
             << profile.keys.size() << " keys";
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
      : pair({with_onlooker(profile.sessions), profile.shard_count, profile.locks_max, profile.waiters_max,
              profile.grants_max}),
        keys(profile.keys),
        learns_at_once(profile.learns_at_once) {}

  void act(const Event& event) {
    tracker.before(pair.model(), event, pair.is_in_flight(event.session));
    if (const auto difference = pair.act(event)) RC_FAIL(*difference);
    const auto replies = pair.replies();
    tracker.after(pair.model(), event, replies);
    for (const model::Reply& reply : replies) {
      if (learns_at_once && pair.is_in_flight(reply.to)) pair.act({.session = reply.to, .what = What::learns});
    }
  }

  // Without asking what situation this is.
  void act_unnoticed(const Event& event) {
    if (const auto difference = pair.act(event)) RC_FAIL(*difference);
  }

  void look(SessionId asker) {
    if (const auto difference = pair.look()) RC_FAIL(*difference);
    for (const Key& key : keys) {
      if (const auto difference = pair.look_at(key, {asker, onlooker})) RC_FAIL(*difference);
      if (const auto difference = pair.look_at_line(key, {asker, onlooker})) RC_FAIL(*difference);
    }
  }

  Lockstep<Table> pair;
  std::vector<Key> keys;
  bool learns_at_once;
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
  Event nth(int i) const { return {.session = session_, .verb = verb_, .key = "many" + std::to_string(i)}; }

  SessionId session_;
  Verb verb_;
  int count_;
};

// Each of several sessions takes a key and then waits for the next one's, the last for the first's: a circle, which
// chance alone would close too rarely.
template <class Table>
class StandInACircle : public Command<Table> {
 public:
  StandInACircle(std::vector<SessionId> sessions, std::vector<Key> keys)
      : sessions_(std::move(sessions)), keys_(std::move(keys)) {}

  void run(const Nothing&, Run<Table>& run) const override {
    for (const Event& event : events()) run.act(event);
    run.look(sessions_.back());
  }
  void show(std::ostream& out) const override {
    const char* separator = "";
    for (const Event& event : events()) out << std::exchange(separator, "\n") << event;
  }

 private:
  std::vector<Event> events() const {
    const std::size_t count = std::min(sessions_.size(), keys_.size());
    std::vector<Event> found;
    for (std::size_t i = 0; i < count; ++i) found.push_back({.session = sessions_[i], .key = keys_[i]});
    for (std::size_t i = 0; i < count; ++i) {
      found.push_back(
          {.session = sessions_[i], .verb = Verb::get_wait, .key = keys_[(i + 1) % count], .milliseconds = 1000});
    }
    return found;
  }

  std::vector<SessionId> sessions_;
  std::vector<Key> keys_;
};

// One session takes keys and others wait for them, so that whatever happens `then` wakes several.
template <class Table>
class StandInLine : public Command<Table> {
 public:
  StandInLine(std::vector<SessionId> sessions, std::vector<Key> keys, LockKind kind, std::vector<std::uint32_t> limits,
              std::optional<Event> then)
      : sessions_(std::move(sessions)),
        keys_(std::move(keys)),
        kind_(kind),
        limits_(std::move(limits)),
        then_(std::move(then)) {}

  void run(const Nothing&, Run<Table>& run) const override {
    for (const Event& event : events()) run.act(event);
    run.look(sessions_.back());
  }
  void show(std::ostream& out) const override {
    const char* separator = "";
    for (const Event& event : events()) out << std::exchange(separator, "\n") << event;
  }

 private:
  std::vector<Event> events() const {
    const bool shared = kind_ == LockKind::shared;
    std::vector<Event> found;
    for (const Key& key : keys_) {
      found.push_back({.session = sessions_[0], .verb = shared ? Verb::get_shared : Verb::get, .key = key});
    }
    for (std::size_t i = 1; i < sessions_.size(); ++i) {
      found.push_back({.session = sessions_[i],
                       .verb = shared ? Verb::get_limited_wait : Verb::get_wait,
                       .key = keys_[i % keys_.size()],
                       .limit = limits_[i % limits_.size()],
                       .milliseconds = 1000});
    }
    if (then_) found.push_back(*then_);
    return found;
  }

  std::vector<SessionId> sessions_;
  std::vector<Key> keys_;
  LockKind kind_;
  std::vector<std::uint32_t> limits_;
  std::optional<Event> then_;
};

constexpr int take_many = -1;
constexpr int stand_in_a_circle = -2;
constexpr int stand_in_line = -3;
const std::vector<Event> actions = {
    {.verb = Verb::get},
    {.verb = Verb::get_shared},
    {.verb = Verb::release},
    {.verb = Verb::release_shared},
    {.verb = Verb::inspect},
    {.verb = Verb::inspect_shared},
    {.verb = Verb::get_wait, .milliseconds = 1000},
    {.verb = Verb::get_wait, .milliseconds = 0},
    {.verb = Verb::get_limited},
    {.verb = Verb::get_limited_wait, .milliseconds = 1000},
    {.verb = Verb::get_limited_wait, .milliseconds = 0},
    {.verb = Verb::release_all},
    {.verb = Verb::release_all, .budget = 1},
    {.verb = Verb::cancel},
    {.what = What::times_out},
    {.what = What::learns},
    {.what = What::ends, .budget = all_locks},
    {.what = What::ends, .budget = 1},
    {.what = What::ends, .budget = 2},
};

const std::vector<std::vector<std::uint32_t>> limit_bags = {{1}, {1, 2}, {1, 2, 3, 4}, {2, 10}, {3}};

// How often each is preferred: one of these. What gives locks back is rarer than what takes them, what ends a session
// for good rarer still; and what only one who waits can do, or one with a Wakeup in flight, is tried more often, since
// it mostly meets others.
std::vector<int> weights_of(const Event& action) {
  if (action.what == What::ends) return {0, 0, 1, 2};
  if (action.what == What::learns) return {1, 8, 32};
  if (action.what == What::times_out) return {0, 2, 8, 16};
  if (action.verb == Verb::release_all || action.verb == Verb::cancel) return {0, 0, 1, 4};
  return {0, 1, 4, 16};
}

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

// What a sequence is mostly about: anything; what the classic verbs can do, so that many take and hold; standing in few
// lines; standing in shared lines with different limits.
enum class Theme : std::uint8_t { anything, classic, lines, shared_lines };

const std::vector<Theme> themes = {Theme::anything, Theme::classic, Theme::lines, Theme::lines, Theme::shared_lines};

bool is_in_lines(Theme theme) { return theme == Theme::lines || theme == Theme::shared_lines; }

bool suits(Theme theme, const Event& action) {
  if (theme == Theme::anything || action.what == What::ends) return true;
  const bool is_classic =
      action.what == What::asks &&
      (action.verb == Verb::get || action.verb == Verb::get_shared || action.verb == Verb::release ||
       action.verb == Verb::release_shared || action.verb == Verb::inspect || action.verb == Verb::inspect_shared);
  if (theme == Theme::classic) return is_classic;
  if (theme == Theme::shared_lines && lock_of(action) && lock_of(action)->kind == LockKind::exclusive) return false;
  const bool is_hasty = is_get(action) && action.milliseconds == 0 && action.verb != Verb::get_limited;
  const bool looks = action.verb == Verb::inspect || action.verb == Verb::inspect_shared;
  return action.what != What::asks || (!is_hasty && !looks);
}

void choose_sessions_and_keys(Profile& profile, Theme theme) {
  auto session_count = *rc::gen::element<std::uint64_t>(1, 2, 3, 4, 8, 20, 20, 20);
  auto key_count = *rc::gen::element<std::size_t>(1, 1, 2, 3, 5, 12, 40);
  if (theme == Theme::classic) {
    session_count = *rc::gen::element<std::uint64_t>(2, 20, 20);
    key_count = *rc::gen::element<std::size_t>(1, 1, 1, 2, 12, 40);
  }
  if (is_in_lines(theme)) {
    session_count = *rc::gen::element<std::uint64_t>(3, 4, 5, 8);
    key_count = *rc::gen::element<std::size_t>(1, 1, 2, 3, 6);
  }
  const auto id_step = *rc::gen::element<std::uint64_t>(1, std::uint64_t{1} << 32);
  for (std::uint64_t i = 0; i < session_count; ++i) profile.sessions.push_back(SessionId{1 + i * id_step});
  profile.keys = first_keys(key_count);
}

void choose_actions(Profile& profile, Theme theme) {
  for (int i = 0; i < static_cast<int>(actions.size()); ++i) {
    const Event& action = actions[static_cast<std::size_t>(i)];
    int weight = *rc::gen::elementOf(weights_of(action));
    if (!suits(theme, action)) continue;
    if (is_in_lines(theme) && action.what != What::ends) weight *= 2;  // or soon nobody would be left
    profile.action_bag.insert(profile.action_bag.end(), static_cast<std::size_t>(weight), i);
  }
  if (profile.action_bag.empty()) profile.action_bag.push_back(0);
}

// What takes several events to come about. One sequence has one of these at most, as they do not leave much to chance.
void choose_composites(Profile& profile) {
  const int which = *below(50);
  if (which == 49) {
    profile.locks_max = 0;
    profile.grants_max = 0;
    profile.keys.resize(1);  // there will be enough to be looked at
    profile.action_bag.push_back(take_many);
  } else if (which < 6) {
    if (profile.keys.size() < 6) profile.keys = first_keys(6);
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size() / 20 + 1, stand_in_a_circle);
  } else if (which < 20) {
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size() / 20 + 1, stand_in_line);
  } else if (which < 27) {
    constexpr int get_shared = 1;  // of `actions`: a crowd of holders
    profile.keys.resize(1);
    profile.action_bag.insert(profile.action_bag.end(), profile.action_bag.size(), get_shared);
  }
}

rc::Gen<Profile> profiles() {
  return rc::gen::exec([] {
    Profile profile;
    const Theme theme = *rc::gen::elementOf(themes);
    profile.shard_count = *rc::gen::element<std::uint32_t>(1, 16);
    profile.locks_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2, 4);
    profile.waiters_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2);
    if (profile.shard_count == 1) profile.grants_max = *rc::gen::element<std::uint64_t>(0, 0, 0, 0, 5, 20);
    profile.learns_at_once = *rc::gen::element(true, true, false);
    profile.limit_bag = *rc::gen::elementOf(limit_bags);
    choose_sessions_and_keys(profile, theme);
    choose_actions(profile, theme);
    choose_composites(profile);
    profile.session_bag = profile.sessions;
    prefer_some(profile.session_bag, profile.sessions.size());
    profile.key_bag = profile.keys;
    prefer_some(profile.key_bag, profile.keys.size());
    return profile;
  });
}

// Up to so many, in a row from anywhere on.
template <class T>
std::vector<T> some_of(const std::vector<T>& all, int count) {
  const auto first = static_cast<std::size_t>(*below(20));
  std::vector<T> some;
  for (std::size_t i = 0; i < std::min(all.size(), static_cast<std::size_t>(count)); ++i) {
    some.push_back(all[(first + i) % all.size()]);
  }
  return some;
}

template <class Table>
std::shared_ptr<const Command<Table>> composite(const Profile& profile, int which) {
  if (which == take_many) {
    const Verb verb = *rc::gen::element(Verb::get, Verb::get_shared);
    return std::make_shared<TakeMany<Table>>(*rc::gen::elementOf(profile.session_bag), verb, 900 + *below(400));
  }
  if (which == stand_in_line) {
    const auto kind = *rc::gen::element(LockKind::exclusive, LockKind::shared, LockKind::shared);
    const auto sessions = some_of(profile.sessions, 6);
    const SessionId head = sessions[sessions.size() > 1 ? 1 : 0];
    const std::vector<std::optional<Event>> then = {
        std::nullopt,
        Event{.session = sessions[0], .verb = Verb::release_all},
        Event{.session = sessions[0], .what = What::ends},
        Event{.session = head, .what = What::ends},
    };
    return std::make_shared<StandInLine<Table>>(sessions, some_of(profile.keys, 1 + *below(2)), kind,
                                                some_of<std::uint32_t>({1, 2, 3, 4}, 1 + *below(3)),
                                                then[static_cast<std::size_t>(*below(4))]);
  }
  const int count = *rc::gen::element(2, 3, 5, 6);
  return std::make_shared<StandInACircle<Table>>(some_of(profile.sessions, count), some_of(profile.keys, count));
}

template <class Table>
rc::Gen<std::shared_ptr<const Command<Table>>> commands(std::shared_ptr<const Profile> profile) {
  return rc::gen::exec([profile]() -> std::shared_ptr<const Command<Table>> {
    const int action = *rc::gen::elementOf(profile->action_bag);
    if (action < 0) return composite<Table>(*profile, action);
    Event event = actions[static_cast<std::size_t>(action)];
    event.session = *rc::gen::elementOf(profile->session_bag);
    if (lock_of(event)) event.key = *rc::gen::elementOf(profile->key_bag);
    const bool is_limited = event.verb == Verb::get_limited || event.verb == Verb::get_limited_wait;
    if (is_limited) event.limit = *rc::gen::elementOf(profile->limit_bag);
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

TEST(Conformance, X1_X2_X3_H1_H2_H3_W1_W4_W5_W6_W9_C1_C2_T1_S2_S5_E1_L1_L3_engine_and_model_agree) {
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

TEST(ConformanceCanary, W6_circles_of_three_and_more_that_are_missed_are_found) {
  EXPECT_FALSE(rc::check("circles of two alone", [] { run_one<MissesCircles<3>>(); }));
}

TEST(ConformanceCanary, W6_circles_of_five_and_more_that_are_missed_are_found) {
  EXPECT_FALSE(rc::check("circles of four at most", [] { run_one<MissesCircles<5>>(); }));
}

// These are found by the explorer too, each within few steps: here it is seen that random runs get there.
template <class Table>
class ConformanceWaitingCanary : public ::testing::Test {};

using FaultyWaits =
    ::testing::Types<OvertakesTheLine, UsesAnotherSLimit, LastComeFirstServed, FreesInsteadOfHandingOver,
                     ForgetsWhoComesNext<false>, ForgetsWhoComesNext<true>, ReleasesAllToNobody, ImaginesCircles,
                     RepeatsTokens, CountsTokensDown, SetsNoTokensAside, KeepsTheDeadInLine, AnswersTwice, LosesAWakeup,
                     WakesTwice, ObeysTheWaiting, BoundsLinesTooLate, ForgetsWhatWasHandedOver>;
TYPED_TEST_SUITE(ConformanceWaitingCanary, FaultyWaits);

TYPED_TEST(ConformanceWaitingCanary, is_found) {
  EXPECT_FALSE(rc::check("a faulty table", [] { run_one<TypeParam>(); }));
}

}  // namespace
}  // namespace lockd::proptests

// RapidCheck takes its parameters from the environment alone, where the number of sequences may be set too.
int main(int argument_count, char** arguments) {
  const char* const given = std::getenv("RC_PARAMS");
  std::string parameters = given == nullptr ? "" : given;
  if (parameters.find("max_success=") == std::string::npos) parameters += " max_success=" LOCKD_SEQUENCES;
  setenv("RC_PARAMS", parameters.c_str(), 1);
  std::printf("RC_PARAMS=%s\n", parameters.c_str());
  testing::InitGoogleTest(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
