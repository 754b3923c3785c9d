// What random runs must have come across: a run in which nothing happened proves nothing. Situations are named,
// counted, and asked to come up often enough.
#ifndef LOCKD_PROPTESTS_SITUATIONS_H_
#define LOCKD_PROPTESTS_SITUATIONS_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "model/lock_model.h"
#include "proptests/event.h"

namespace lockd::proptests {

enum class Situation : std::uint8_t {
  get_of_another_s,            // X1
  get_again,                   // X1
  release_by_another,          // X2
  release_of_a_free_key,       // X2
  retaken_after_release,       // X2: by a session that is not the one that held it before
  three_holders,               // H1
  thirteen_holders,            // H1
  shared_again,                // H1
  leaves_from_the_middle,      // H2
  shared_release_by_another,   // H2
  both_kinds_of_one_key,       // H: one session holds one key exclusively, another one shared
  refused_by_the_bound,        // S5: the key being free
  refused_before_contention,   // S5: the key being another's
  get_again_at_the_bound,      // S5
  ends_with_both_kinds,        // S2
  ends_with_shared_alone,      // S2
  a_slice_leaves_locks,        // S2
  freed_lock_taken_meanwhile,  // S2: between two slices of the session that lost it
  get_of_a_dead_session_s,     // S2: not freed yet
  the_dead_ask,                // S2
  ends_twice,                  // S2
  a_thousand_keys,             // more than 1000 held
};
inline constexpr std::size_t situation_count = static_cast<std::size_t>(Situation::a_thousand_keys) + 1;

/// The name of each, and the share of sequences in which it comes up, for those that ask how often is enough.
struct SituationRow {
  Situation situation;
  std::string_view name;
  double share;
};
extern const std::array<SituationRow, situation_count> situation_table;

/// Which situations one sequence of events came across. before() and after() stand around each event.
class SituationTracker {
 public:
  void before(const model::LockModel& model, const Event& event);
  void after(const model::LockModel& model, const Event& event);

  const std::bitset<situation_count>& seen() const { return seen_; }

 private:
  void note(Situation situation, bool occurs);
  void before_get(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void before_release(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void before_end(const model::LockModel& model, SessionId session);

  std::bitset<situation_count> seen_;
  std::map<model::Lock, SessionId> last_holder_;    // of exclusive locks that were released
  std::map<model::Lock, SessionId> lost_in_slice_;  // by whom, as long as that one's end goes on
  std::vector<model::Lock> held_before_;            // by the session of the event
};

/// How many of the sequences came across each situation.
class SituationTally {
 public:
  void add(const std::bitset<situation_count>& seen);

  std::uint64_t sequence_count() const { return sequence_count_; }
  std::uint64_t count(Situation situation) const { return counts_.at(static_cast<std::size_t>(situation)); }

  /// Sequences are drawn independently, so the count of a situation with share p among n has a standard deviation of
  /// sqrt(n p (1 - p)), or less where p changes from one to the next. The floor is 7 of these below the mean: by chance
  /// a count falls short once in 10^11 runs, and never where that is below zero.
  double floor(const SituationRow& row) const;

 private:
  std::uint64_t sequence_count_ = 0;
  std::array<std::uint64_t, situation_count> counts_{};
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SITUATIONS_H_
