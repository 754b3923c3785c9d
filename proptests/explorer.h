// Two exhaustive searches over what few sessions can do to few keys, on engine and model in lockstep. Whatever goes
// wrong in few steps is found here, and what "exhaustive" means is counted and said.
#ifndef LOCKD_PROPTESTS_EXPLORER_H_
#define LOCKD_PROPTESTS_EXPLORER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "proptests/lockstep.h"
#include "proptests/state_name.h"

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

/// What a search of states takes for the same: states of one name (StateNames).
struct StatesExtent {
  bool up_to_renaming = false;
  Order order = Order::told;
  std::size_t states_max = all_locks;  // stops there

  /// Is told now and then how many of the states have been searched, and how many are known so far.
  std::function<void(std::size_t searched, std::size_t known)> on_progress = {};
};

/// Events are: each request of each session for each key; the end of each session, in one step and in a slice of one
/// lock; and, with all verbs, that the time of its wait is up, and that it learns of its grant. All are tried
/// everywhere, legal or not: a dead session goes on speaking and ends again, one that waits asks, one that does not
/// times out. After each, everything that can be seen is compared: Lockstep::look(), and look_at() for each key with
/// each session asking, dead ones too; with all verbs, Lockstep::look_at_line() besides.
///
/// An event is quiet if the state stays as it is. At each point of a search all the quiet ones are executed first, one
/// after the other on one pair, so that whatever they leave behind inside the engine is there when the others follow,
/// each on a fork. A search of states looks at everything once behind them all, having compared each one's answer.
class Explorer {
 public:
  Explorer(const Lockstep::Config& config, std::vector<Key> keys, Verbs verbs = Verbs::classic,
           TableMaker maker = make_table<EngineTable>);

  /// Every sequence of the extent, but what follows a quiet event is not searched again: it is what follows without it.
  /// No two sequences are taken for the same but as the extent says; nothing else is left out.
  ExplorerReport search_sequences(const Extent& extent);

  /// Every event in every state that the pair can reach, the shortest way. Of the states that slices lead to, those are
  /// reached that the engine's order of freeing leads to.
  ExplorerReport search_states(const StatesExtent& extent = {});

  /// Behind search_states(): how many states it found, and the shortest way to one of them, which are numbered from 0.
  std::size_t state_count() const { return ways_.size(); }
  std::vector<Event> way_to(std::size_t state) const;

  /// What is tried everywhere, by whom, for what.
  std::vector<Event> events() const;
  const std::vector<SessionId>& sessions() const { return sessions_; }
  const std::vector<Key>& keys() const { return keys_; }

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

  /// The last step to a state: an event of candidates_, in another state, which was found before it.
  struct LastStep {
    std::uint32_t from = 0;
    std::uint32_t candidate = 0;
  };

  void add_session(std::size_t index);

  std::vector<Event> requests() const;

  static bool is_quiet(const Lockstep& pair, const Event& event);

  bool is_searched(const Candidate& candidate, const Used& used) const;

  enum class Looks : std::uint8_t { after_each, after_all };

  /// Executes the quiet events, and returns the others.
  std::vector<const Candidate*> others_after_quiet_ones(Lockstep& pair, const Used& used, Looks looks);

  bool is_in_part(const Event& event, std::size_t number) const;

  /// Goes on from a pair that is spoilt by it.
  void search_from(Lockstep& pair, int depth, const Used& used);

  void search_state(std::size_t state, bool up_to_renaming);

  /// Executes an event on both sides; looks at everything, `last` having been the last event. Whether they agree.
  bool act(Lockstep& pair, const Event& event);
  bool look(Lockstep& pair, const Event& last);

  /// Compares what look() and look_at() see.
  std::optional<std::string> difference_at(Lockstep& pair) const;

  std::string scenario(const Event& last) const;

  std::string name(const Lockstep& pair, bool up_to_renaming) const;

  const Lockstep::Config config_;
  Lockstep start_;
  std::vector<Key> keys_;
  std::vector<SessionId> sessions_;
  Verbs verbs_;
  std::vector<Candidate> candidates_;
  StateNames names_;

  Extent extent_;
  std::vector<Event> path_;  // to where the search stands, without the quiet events
  std::unordered_set<std::string> known_;
  std::vector<LastStep> ways_;  // to each state that is known, in the order in which they were found
  ExplorerReport report_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_EXPLORER_H_
