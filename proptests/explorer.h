// Two exhaustive searches over what few sessions can do to few keys, on engine and model in lockstep. Whatever goes
// wrong in few steps is found here, and what "exhaustive" means is counted and said.
#ifndef LOCKD_PROPTESTS_EXPLORER_H_
#define LOCKD_PROPTESTS_EXPLORER_H_

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proptests/lockstep.h"

namespace lockd::proptests {

/// What a search did. `difference`: the first difference of engine and model, behind the events that lead to it, as a
/// scenario.
struct ExplorerReport {
  std::uint64_t events = 0;  // executed on both sides and compared: as many sequences were searched, each ending in one
  std::uint64_t quiet = 0;   // of these, events that change nothing (refusals, what the dead say)
  std::uint64_t states = 0;  // of the closure
  std::optional<std::string> difference;
};

/// Events are: each of the requests g, r, sg, sr of each session for each key, and the end of each session, in one step
/// and in a slice of one lock. All are tried everywhere, legal or not: a dead session goes on speaking and ends again.
/// After each, everything that can be seen is compared: Lockstep::look(), and look_at() for each key with each session
/// asking, dead ones too.
///
/// An event is quiet if the model's state stays as it is. At each point of a search all the quiet ones are executed
/// first, one after the other on one pair, so that whatever they leave behind inside the engine is there when the
/// others follow, each on a fork.
template <class Table>
class Explorer {
 public:
  using Pair = Lockstep<Table>;

  Explorer(const typename Pair::Config& config, std::vector<Key> keys) : start_(config), keys_(std::move(keys)) {
    for (const SessionId session : config.sessions) add_session(session);
  }

  /// Every sequence of up to `depth` events (1 or more), but what follows a quiet event is not searched again: it is
  /// what follows without it. No two sequences are taken for the same; nothing else is left out. first: only sequences
  /// whose first event that is not quiet is this session's, so that a search can be cut into parts; nobody: all.
  ExplorerReport search_sequences(int depth, SessionId first = SessionId::nobody) {
    report_ = {};
    Pair pair(start_);
    search_from(pair, depth, first);
    return report_;
  }

  /// Every event in every state that the pair can reach, the shortest way. States are the same if the same sessions
  /// hold the same locks in the same order and the same ones are dead; the counts of orphans may differ. Of the states
  /// that slices of an end lead to, those are reached that the engine's order of freeing leads to.
  ExplorerReport search_states() {
    report_ = {};
    known_ = {fingerprint(start_)};
    std::vector<std::vector<Event>> ways = {{}};  // to each state that is known, in the order in which they were found
    for (std::size_t next = 0; next < ways.size() && !report_.difference; ++next) {
      Pair pair(start_);
      path_ = ways[next];
      for (const Event& event : path_) pair.act(event);  // was compared when it was found
      search_state(pair, ways);
    }
    report_.states = known_.size();
    return report_;
  }

 private:
  void add_session(SessionId session) {
    askers_.push_back(session);
    for (const Key& key : keys_) {
      for (const Verb verb : {Verb::get, Verb::release, Verb::get_shared, Verb::release_shared}) {
        events_.push_back({session, verb, key});
      }
    }
    events_.push_back({.session = session, .budget = 1});
    events_.push_back({.session = session, .budget = all_locks});
  }

  static bool is_quiet(const model::LockModel& model, const Event& event) {
    if (event.verb) return model::step(model, model::SessionAsks{event.session, *event.verb, event.key}).state == model;
    return model.ended.contains(event.session) && model.locks_of(event.session).empty();
  }

  /// Executes the quiet events, and returns the others.
  std::vector<Event> others_after_quiet_ones(Pair& pair) {
    const model::LockModel before = pair.model();
    std::vector<Event> others;
    for (const Event& event : events_) {
      if (report_.difference) return {};
      if (is_quiet(before, event)) {
        ++report_.quiet;
        compare(pair, event);
      } else {
        others.push_back(event);
      }
    }
    return others;
  }

  /// Goes on from a pair that is spoilt by it.
  void search_from(Pair& pair, int depth, SessionId first) {
    for (const Event& event : others_after_quiet_ones(pair)) {
      if (first != SessionId::nobody && event.session != first) continue;
      Pair fork(pair);
      if (!compare(fork, event)) return;
      if (depth == 1) continue;
      path_.push_back(event);
      search_from(fork, depth - 1, SessionId::nobody);
      path_.pop_back();
      if (report_.difference) return;
    }
  }

  void search_state(Pair& pair, std::vector<std::vector<Event>>& ways) {
    for (const Event& event : others_after_quiet_ones(pair)) {
      Pair fork(pair);
      if (!compare(fork, event)) return;
      if (!known_.insert(fingerprint(fork)).second) continue;
      ways.push_back(path_);
      ways.back().push_back(event);
    }
  }

  /// Executes an event on both sides and looks at everything. Whether they agree.
  bool compare(Pair& pair, const Event& event) {
    ++report_.events;
    auto difference = pair.act(event);
    if (!difference) difference = pair.look();
    for (const Key& key : keys_) {
      if (!difference) difference = pair.look_at(key, askers_);
    }
    if (difference) report_.difference = scenario(event) + *difference;
    return !difference;
  }

  std::string scenario(const Event& last) const {
    std::ostringstream text;
    for (const SessionId session : askers_) text << "connect " << static_cast<std::uint64_t>(session) << '\n';
    for (const Event& event : path_) text << event << '\n';
    text << last << "\n# (ahead of each of these, all events that change nothing were tried)\n# ";
    return text.str();
  }

  static std::string fingerprint(const Pair& pair) {
    std::ostringstream text;
    for (const auto& [lock, holders] : pair.model().held) {
      text << static_cast<int>(lock.kind) << lock.key.size() << ':' << lock.key;
      for (const SessionId holder : holders) text << ' ' << static_cast<std::uint64_t>(holder);
      text << '\n';
    }
    for (const SessionId session : pair.model().ended) text << " dead " << static_cast<std::uint64_t>(session);
    return text.str();
  }

  Pair start_;
  std::vector<Key> keys_;
  std::vector<SessionId> askers_;
  std::vector<Event> events_;

  std::vector<Event> path_;  // to where the search stands, without the quiet events
  std::unordered_set<std::string> known_;
  ExplorerReport report_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_EXPLORER_H_
