// Two exhaustive searches over what few sessions can do to few keys, on engine and model in lockstep. Whatever goes
// wrong in few steps is found here, and what "exhaustive" means is counted and said.
#ifndef LOCKD_PROPTESTS_EXPLORER_H_
#define LOCKD_PROPTESTS_EXPLORER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proptests/lockstep.h"

namespace lockd::proptests {

/// Which requests the events are. classic: g, r, sg, sr. all: these and gw, once with time to wait and once with 0 ms;
/// sgl and sgw with a LIMIT of 1 and of 2, sgw 1 with 0 ms too; ra in one step and in a slice of one lock; cancel.
enum class Verbs : std::uint8_t { classic, all };

/// What a search did. `difference`: the first difference of engine and model, behind the events that lead to it, as a
/// scenario.
struct ExplorerReport {
  std::uint64_t events = 0;  // executed on both sides and compared: as many sequences were searched, each ending in one
  std::uint64_t quiet = 0;   // of these, events that change nothing (refusals, what the dead say)
  std::uint64_t states = 0;  // of the closure
  std::optional<std::string> difference;
};

/// How far a search of sequences goes, and what it leaves out because something else stands for it.
struct Extent {
  int depth = 1;  // 1 or more

  /// Sequences that differ in the names of sessions and keys alone are searched once: with sessions and keys in the
  /// order of the explorer's when they come up for the first time.
  bool up_to_renaming = false;

  /// Where several events lead from one point to one state, all are compared, but what follows is searched behind the
  /// first of them only.
  bool merges = false;

  /// Parts of a search. session: only sequences whose first event that is not quiet is this session's. number: only
  /// those that begin with that one of the events that are not quiet, counted from 1; there is no such part beyond
  /// their count.
  SessionId first_session = SessionId::nobody;
  std::size_t first_number = 0;
};

/// Events are: each request of each session for each key; the end of each session, in one step and in a slice of one
/// lock; and, with all verbs, that the time of its wait is up, and that it learns of its grant. All are tried
/// everywhere, legal or not: a dead session goes on speaking and ends again, one that waits asks, one that does not
/// times out. After each, everything that can be seen is compared: Lockstep::look(), and look_at() for each key with
/// each session asking, dead ones too; with all verbs, Lockstep::look_at_line() besides.
///
/// An event is quiet if the state stays as it is. At each point of a search all the quiet ones are executed first, one
/// after the other on one pair, so that whatever they leave behind inside the engine is there when the others follow,
/// each on a fork.
template <class Table>
class Explorer {
 public:
  using Pair = Lockstep<Table>;

  Explorer(const typename Pair::Config& config, std::vector<Key> keys, Verbs verbs = Verbs::classic)
      : start_(config), keys_(std::move(keys)), sessions_(config.sessions), verbs_(verbs) {
    for (std::size_t i = 0; i < sessions_.size(); ++i) add_session(i);
    add_renamings();
  }

  /// Every sequence of the extent, but what follows a quiet event is not searched again: it is what follows without it.
  /// No two sequences are taken for the same but as the extent says; nothing else is left out.
  ExplorerReport search_sequences(const Extent& extent) {
    report_ = {};
    extent_ = extent;
    path_.clear();
    Pair pair(start_);
    search_from(pair, extent.depth, {});
    return report_;
  }

  /// Every event in every state that the pair can reach, the shortest way. States are the same if the same sessions
  /// hold the same locks in the same order, wait in the same lines in the same order with the same limits, the same
  /// ones are dead, and the same ones have not learned of their grant; counts, tokens (those left too) and times may
  /// differ. With up_to_renaming, states are the same too if they are after renaming sessions and keys. Of the states
  /// that slices lead to, those are reached that the engine's order of freeing leads to. states_max: stops there.
  ExplorerReport search_states(bool up_to_renaming = false, std::size_t states_max = all_locks) {
    report_ = {};
    extent_ = {};
    const std::size_t renaming_count = up_to_renaming ? renamings_.size() : 1;
    known_ = {fingerprint(start_, renaming_count)};
    ways_ = {{}};
    for (std::size_t next = 0; next < ways_.size() && next < states_max && !report_.difference; ++next) {
      Pair pair(start_);
      path_ = ways_[next];
      for (const Event& event : path_) pair.act(event);  // was compared when it was found
      search_state(pair, renaming_count);
    }
    report_.states = known_.size();
    return report_;
  }

 private:
  /// How many sessions and keys have come up.
  struct Used {
    std::size_t sessions = 0;
    std::size_t keys = 0;
  };

  struct Candidate {
    Event event;
    Used uses;  // its session and key are among the first so many
  };

  /// The sessions and the keys in another order.
  struct Renaming {
    std::vector<std::size_t> sessions;
    std::vector<std::size_t> keys;
  };

  void add_session(std::size_t index) {
    const SessionId session = sessions_[index];
    const auto add = [&](Event event, std::size_t keys_used) {
      event.session = session;
      candidates_.push_back({std::move(event), {index + 1, keys_used}});
    };
    for (std::size_t key = 0; key < keys_.size(); ++key) {
      for (Event& event : requests()) {
        event.key = keys_[key];
        add(std::move(event), key + 1);
      }
    }
    if (verbs_ == Verbs::all) {
      add({.verb = Verb::release_all}, 0);
      add({.verb = Verb::release_all, .budget = 1}, 0);
      add({.verb = Verb::cancel}, 0);
      add({.what = What::times_out}, 0);
      add({.what = What::learns}, 0);
    }
    add({.what = What::ends, .budget = 1}, 0);
    add({.what = What::ends}, 0);
  }

  std::vector<Event> requests() const {
    std::vector<Event> found = {
        {.verb = Verb::get}, {.verb = Verb::release}, {.verb = Verb::get_shared}, {.verb = Verb::release_shared}};
    if (verbs_ == Verbs::classic) return found;
    const std::vector<Event> extended = {
        {.verb = Verb::get_wait, .milliseconds = 1000},
        {.verb = Verb::get_wait, .milliseconds = 0},
        {.verb = Verb::get_limited, .limit = 1},
        {.verb = Verb::get_limited, .limit = 2},
        {.verb = Verb::get_limited_wait, .limit = 1, .milliseconds = 1000},
        {.verb = Verb::get_limited_wait, .limit = 2, .milliseconds = 1000},
        {.verb = Verb::get_limited_wait, .limit = 1, .milliseconds = 0},
    };
    found.insert(found.end(), extended.begin(), extended.end());
    return found;
  }

  /// All of them, the first being none.
  void add_renamings() {
    Renaming renaming;
    for (std::size_t i = 0; i < sessions_.size(); ++i) renaming.sessions.push_back(i);
    do {
      renaming.keys.clear();
      for (std::size_t i = 0; i < keys_.size(); ++i) renaming.keys.push_back(i);
      do {
        renamings_.push_back(renaming);
      } while (std::ranges::next_permutation(renaming.keys).found);
    } while (std::ranges::next_permutation(renaming.sessions).found);
  }

  static bool is_quiet(const Pair& pair, const Event& event) {
    const model::LockModel& model = pair.model();
    const SessionId session = event.session;
    switch (event.what) {
      case What::learns:
        return !pair.is_in_flight(session);
      case What::times_out:
        return !model.wait_of(session);
      case What::ends:
        return model.ended.contains(session) && model.locks_of(session).empty();
      case What::asks:
        break;
    }
    if (model.ended.contains(session)) return true;
    if (event.verb == Verb::cancel) return !model.wait_of(session);
    if (pair.is_busy(session)) return true;
    if (event.verb == Verb::release_all) return model.locks_of(session).empty();
    const model::SessionAsks request{session, event.verb, event.key, event.limit, event.milliseconds};
    return model::step(model, request).state == model;
  }

  bool is_searched(const Candidate& candidate, const Used& used) const {
    if (!extent_.up_to_renaming) return true;
    return candidate.uses.sessions <= used.sessions + 1 && candidate.uses.keys <= used.keys + 1;
  }

  /// Executes the quiet events, and returns the others.
  std::vector<const Candidate*> others_after_quiet_ones(Pair& pair, const Used& used) {
    const Pair before(pair);
    std::vector<const Candidate*> others;
    for (const Candidate& candidate : candidates_) {
      if (report_.difference) return {};
      if (!is_searched(candidate, used)) continue;
      if (is_quiet(before, candidate.event)) {
        ++report_.quiet;
        compare(pair, candidate.event);
      } else {
        others.push_back(&candidate);
      }
    }
    return others;
  }

  bool is_in_part(const Event& event, std::size_t number) const {
    if (!path_.empty()) return true;
    if (extent_.first_number != 0 && extent_.first_number != number) return false;
    return extent_.first_session == SessionId::nobody || extent_.first_session == event.session;
  }

  /// Goes on from a pair that is spoilt by it.
  void search_from(Pair& pair, int depth, const Used& used) {
    std::unordered_set<std::string> seen;
    std::size_t number = 0;
    for (const Candidate* candidate : others_after_quiet_ones(pair, used)) {
      if (!is_in_part(candidate->event, ++number)) continue;
      Pair fork(pair);
      if (!compare(fork, candidate->event)) return;
      if (depth == 1 || (extent_.merges && !seen.insert(fingerprint(fork, 1)).second)) continue;
      path_.push_back(candidate->event);
      const Used now{std::max(used.sessions, candidate->uses.sessions), std::max(used.keys, candidate->uses.keys)};
      search_from(fork, depth - 1, now);
      path_.pop_back();
      if (report_.difference) return;
    }
  }

  void search_state(Pair& pair, std::size_t renaming_count) {
    for (const Candidate* candidate : others_after_quiet_ones(pair, {})) {
      Pair fork(pair);
      if (!compare(fork, candidate->event)) return;
      if (!known_.insert(fingerprint(fork, renaming_count)).second) continue;
      for (const std::string& violation : fork.model().violations()) {
        report_.difference = scenario(candidate->event) + "the model itself: " + violation;
      }
      ways_.push_back(path_);
      ways_.back().push_back(candidate->event);
    }
  }

  /// Executes an event on both sides and looks at everything. Whether they agree.
  bool compare(Pair& pair, const Event& event) {
    ++report_.events;
    auto difference = pair.act(event);
    if (!difference) difference = pair.look();
    for (const Key& key : keys_) {
      if (!difference) difference = pair.look_at(key, sessions_);
      if (!difference && verbs_ == Verbs::all) difference = pair.look_at_line(key, sessions_);
    }
    if (difference) report_.difference = scenario(event) + *difference;
    return !difference;
  }

  std::string scenario(const Event& last) const {
    std::ostringstream text;
    for (const SessionId session : sessions_) text << "connect " << static_cast<std::uint64_t>(session) << '\n';
    for (const Event& event : path_) text << event << '\n';
    text << last << "\n# (ahead of each of these, all events that change nothing were tried)\n# ";
    return text.str();
  }

  /// The state as text: the same for two states if one of the first so many renamings makes them the same. (The least
  /// of the texts of all.)
  std::string fingerprint(const Pair& pair, std::size_t renaming_count) const {
    std::string least;
    for (std::size_t i = 0; i < renaming_count; ++i) {
      std::string text = described(pair, renamings_[i]);
      if (i == 0 || text < least) least = std::move(text);
    }
    return least;
  }

  std::string described(const Pair& pair, const Renaming& renaming) const {
    const model::LockModel& model = pair.model();
    const auto name = [&](SessionId session) {
      const auto index = static_cast<std::size_t>(std::ranges::find(sessions_, session) - sessions_.begin());
      return static_cast<char>('A' + renaming.sessions[index]);
    };
    std::string text;
    for (const std::size_t key : renaming.keys) {
      for (const LockKind kind : both_kinds) {
        text += '/';
        const auto state = model.locks.find({kind, keys_[key]});
        if (state == model.locks.end()) continue;
        for (const model::Holder& holder : state->second.holders) text += name(holder.session);
        for (const model::Waiter& waiter : state->second.line) {
          text += name(waiter.session);
          text += static_cast<char>('0' + waiter.limit);
        }
      }
    }
    std::string fates(sessions_.size(), '.');
    for (const SessionId session : sessions_) {
      const char fate = model.ended.contains(session) ? 'x' : pair.is_in_flight(session) ? '!' : '.';
      fates[static_cast<std::size_t>(name(session) - 'A')] = fate;
    }
    return text + fates;
  }

  Pair start_;
  std::vector<Key> keys_;
  std::vector<SessionId> sessions_;
  Verbs verbs_;
  std::vector<Candidate> candidates_;
  std::vector<Renaming> renamings_;

  Extent extent_;
  std::vector<Event> path_;  // to where the search stands, without the quiet events
  std::unordered_set<std::string> known_;
  std::vector<std::vector<Event>> ways_;  // to each state that is known, in the order in which they were found
  ExplorerReport report_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_EXPLORER_H_
