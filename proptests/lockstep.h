// The engine and its specification side by side: the same event to both, and every difference is a finding. What to do
// in which order is the business of those who use it, the explorer and the random tests.
#ifndef LOCKD_PROPTESTS_LOCKSTEP_H_
#define LOCKD_PROPTESTS_LOCKSTEP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/lock_model.h"
#include "model/token_rule.h"
#include "proptests/event.h"
#include "proptests/table.h"

namespace lockd::proptests {

/// A number for each kind of lock.
struct PerKind {
  std::array<std::uint64_t, 2> numbers{};
  std::uint64_t& operator[](LockKind kind) { return numbers[static_cast<std::size_t>(kind)]; }
};

/// The table is the engine's, or a faulty one that must be found out. A copy is a fork: it goes on alone.
///
/// A hand-over is one step of the model and two of the engine: the lock changes its holder, a Wakeup is on its way to
/// the new one, and until that one learns of it (What::learns) he counts as one who waits. What he asks meanwhile the
/// session would hold back (W2): the engine has to say nothing and the model is not told.
///
/// A millisecond passes with each event, so that durations tell who has waited and held how long.
class Lockstep {
 public:
  struct Config {
    std::vector<SessionId> sessions;  // they begin at the start
    std::uint32_t shard_count = 1;
    std::uint64_t locks_max = 0;    // S5; 0: no bound
    std::uint64_t waiters_max = 0;  // W7; 0: no bound
    std::uint64_t grants_max = 0;   // T1; 0: no bound; with one shard alone, as each keeps a range to itself
    std::uint32_t index_parts = TableConfig{}.index_parts;
  };

  explicit Lockstep(const Config& config, TableMaker maker = make_table<EngineTable>);

  /// Does it to both. Nothing, or how the answers or the wake-ups differ (X, H, W, C, T, S2, S5, E1). The session is
  /// one of those that began. What only the caller can do wrong (a Wakeup that was never sent arrives) is not done.
  std::optional<std::string> act(const Event& event);

  /// Compares all that can be seen without asking for a key: the listings with the holders and the lines in their order
  /// (L1, E2), the tokens (T1), the totals (L3, E3), what each session holds, whether it waits and whether it is dead
  /// (S2); and asks the engine for its broken invariants.
  std::optional<std::string> look();

  /// Compares what each of `askers` learns about a key by `i` and `si` (X3, H3), and by `d K` and `sd K` (L1).
  std::optional<std::string> look_at(const Key& key, const std::vector<SessionId>& askers);

  /// The same by `iw`, `siw`, `t` and `st` (W8, T2).
  std::optional<std::string> look_at_line(const Key& key, const std::vector<SessionId>& askers);

  /// S2: all sessions end, those too that are dead, and in this the table is to be as a new one: nothing is listed or
  /// counted as being there, and its invariants hold. Nothing, or what is left.
  std::optional<std::string> end_all();

  /// The table alone, for whoever wants to know what it keeps. Nothing else may be called any more.
  AnyTable take_table() { return std::move(table_); }

  const model::LockModel& model() const { return model_; }

  /// What the last event was answered, its own reply first, then those to the ones that it let through.
  const std::vector<model::Reply>& replies() const { return replies_; }

  /// Whether a session was handed a lock and does not know of it yet; whether it waits, or believes that it does.
  bool is_in_flight(SessionId id) const { return in_flight_.contains(id); }
  bool is_busy(SessionId id) const { return is_in_flight(id) || model_.wait_of(id).has_value(); }

 private:
  engine::SessionLocks& session(SessionId id);

  void pass_time();

  /// A step of the model, or one of several that one event is made of.
  void tell(const model::Event& event);

  /// The engine's side of an event against the model's: replies_. Of several locks that are freed in one event each
  /// side has an order of its own; of one lock the order counts.
  std::optional<std::string> compare(const Event& event, const std::optional<Answer>& answer,
                                     const engine::Wakeups& wakeups);

  /// The engine does not say which key it answers for; a session waits for one at most.
  Key key_for(SessionId to, const Key& otherwise) const;

  std::optional<std::string> asks(const Event& event);

  std::optional<std::string> look_by(std::initializer_list<Verb> verbs, const Key& key,
                                     const std::vector<SessionId>& askers);

  std::optional<std::string> request(const Event& event);

  /// T2: puts the model's number for a grant in the place of the token, if it can be that.
  std::optional<std::string> translate_token(const Event& event, Answer& answer);

  /// W5, W9. One who does not wait, or was handed the lock already: neither side says anything.
  std::optional<std::string> leaves_line(const Event& event, engine::Leave why, const model::Event& happened);

  /// E1 in one step.
  std::optional<std::string> releases_all(const Event& event);

  std::optional<std::string> releases_slice(const Event& event);

  std::optional<std::string> ends(const Event& event);

  /// The engine frees the locks of a session in an order of its own. So the model is told of those in which the engine
  /// no longer lists it; that nobody else's went, look() sees. Returns how many.
  template <class Freed>
  std::size_t tell_what_is_free(SessionId id, const std::vector<model::Lock>& locks);

  /// What each holds, whether it waits, and whether it is dead.
  std::optional<std::string> look_at_sessions() const;

  std::optional<std::string> look_at_listings() const;

  std::optional<std::string> look_at_claims();

  /// E2: first the holders in the order of taking, each with a token that can be his, then those in line.
  std::optional<std::string> look_at_claims_of(const model::Lock& lock, const std::vector<engine::Claim>& claims);

  /// L3, E3. Of the histograms their sums alone: all the time that anybody held a lock or waited has to be either in
  /// them or in the age of a claim.
  std::optional<std::string> look_at_totals(const std::vector<ClaimedLock>& claims);

  AnyTable table_;
  std::vector<engine::SessionLocks> sessions_;
  model::LockModel model_;

  std::set<SessionId> in_flight_;  // who was handed a lock and has not learned of it; none of them is dead
  std::vector<model::Reply> replies_;

  // What the model does not know: tokens, time, and numbers by kind.
  model::TokenRule tokens_;
  engine::Moment now_ = 0;
  PerKind grants_;   // since the start
  PerKind waits_;    // begun
  PerKind hold_ms_;  // the sum over all holders of how long they have held
  PerKind wait_ms_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_LOCKSTEP_H_
