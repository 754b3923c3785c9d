// What random runs must have come across: a run in which nothing happened proves nothing. Situations are named,
// counted, and asked to come up often enough.
#ifndef LOCKD_PROPTESTS_SITUATIONS_H_
#define LOCKD_PROPTESTS_SITUATIONS_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "model/lock_model.h"
#include "proptests/event.h"

namespace lockd::proptests {

enum class Situation : std::uint8_t {
  get_of_another_s,                // X1
  get_again,                       // X1
  release_by_another,              // X2
  release_of_a_free_key,           // X2
  retaken_after_release,           // X2: by a session that is not the one that held it before
  three_holders,                   // H1
  thirteen_holders,                // H1
  shared_again,                    // H1
  leaves_from_the_middle,          // H2
  shared_release_by_another,       // H2
  both_kinds_of_one_key,           // H: one session holds one key exclusively, another one shared
  refused_by_the_bound,            // S5: the key being free
  refused_before_contention,       // S5: the key being another's
  get_again_at_the_bound,          // S5
  ends_with_both_kinds,            // S2
  ends_with_shared_alone,          // S2
  a_slice_leaves_locks,            // S2
  freed_lock_taken_meanwhile,      // S2: between two slices of the session that lost it
  get_of_a_dead_session_s,         // S2: not freed yet
  the_dead_ask,                    // S2
  ends_twice,                      // S2
  a_thousand_keys,                 // more than 1000 held
  waits_for_exclusive,             // W1
  waits_for_shared,                // C2
  no_time_to_wait,                 // W1, C2: 0 ms, and it can't be had
  line_of_three,                   // W3
  handed_over,                     // W4
  handed_over_shared,              // C2
  several_let_through,             // C2: by one event
  asks_while_it_waits,             // W2
  asks_beside_hand_over,           // W2: the Wakeup being in flight, as in the next three
  timeout_beside_hand_over,        // W5
  cancel_beside_hand_over,         // W9
  end_beside_hand_over,            // S2
  timeout_in_line,                 // W5
  cancel_in_line,                  // W9
  nothing_to_cancel,               // W9
  death_in_line,                   // S2, W5: behind another
  death_of_the_head,               // S2, W5: others behind it
  death_before_mixed_limits,       // C2: of the head, those behind it having other limits than it
  leaving_lets_through,            // C2: the head leaves the line, by whatever, and others get in
  line_survives_a_free_place,      // C2: a holder leaves, and the head's limit is not kept yet
  past_a_line,                     // H1: `sg` overtakes those who wait
  refused_by_the_line,             // C1: though fewer than LIMIT hold it
  get_again_before_a_line,         // W10: by a holder, somebody waiting
  circle_of_two,                   // W6
  circle_of_three,                 // W6
  circle_of_five,                  // W6: of five or more
  no_circle_through_shared,        // W6: the one who is waited for waits in a shared line, for the asker
  a_full_line,                     // W7
  out_of_tokens,                   // T1: for a grant
  out_of_tokens_in_line,           // T1: for a wait
  tokens_set_aside,                // T1: there are some, but those who wait need them
  bound_reached_by_waiting,        // S5: what was handed over is the last that the session may have
  refused_by_the_bound_with_line,  // S5: somebody waiting
  release_all_of_both_kinds,       // E1
  release_all_wakes,               // E1
  release_all_wakes_at_two_locks,  // E1
  slice_of_release_all_leaves,     // E1
  end_wakes,                       // S2, W4
  end_wakes_at_two_locks,          // S2, W4
};
inline constexpr std::size_t situation_count = static_cast<std::size_t>(Situation::end_wakes_at_two_locks) + 1;

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
  /// in_flight: the session was handed a lock and does not know of it yet.
  void before(const model::LockModel& model, const Event& event, bool in_flight);

  /// replies: the event's own, if there was one, and those to whom it let through.
  void after(const model::LockModel& model, const Event& event, const std::vector<model::Reply>& replies);

  const std::bitset<situation_count>& seen() const { return seen_; }

 private:
  using Replies = std::vector<model::Reply>;

  void note(Situation situation, bool occurs);
  void before_get(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void before_release(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void before_end(const model::LockModel& model, const Event& event);
  void before_leaving(const model::LockModel& model, const Event& event);
  void beside_hand_over(const Event& event);
  void after_get(const model::LockModel& model, const Event& event, const model::Lock& lock, const Replies& replies);
  void after_take(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void after_wait(const model::LockModel& model, const Event& event, const model::Lock& lock);
  void after_refusal(const model::LockModel& model, const Event& event, const model::Lock& lock, Outcome why);
  void after_release(const model::LockModel& model, const Event& event, bool was_released);
  void after_end(const model::LockModel& model, const Event& event);
  void after_hand_overs(const model::LockModel& model, const Event& event, const Replies& woken);

  std::bitset<situation_count> seen_;
  std::map<model::Lock, SessionId> last_holder_;    // of exclusive locks that were released
  std::map<model::Lock, SessionId> lost_in_slice_;  // by whom, as long as that one's end goes on

  // Of the event that is going on:
  std::vector<model::Lock> held_before_;   // by its session
  std::optional<model::Lock> waited_for_;  // by its session
  bool had_to_say_ = false;                // its session lives and does not wait
};

/// How many of the sequences came across each situation.
class SituationTally {
 public:
  void add(const std::bitset<situation_count>& seen);

  std::uint64_t sequence_count() const { return sequence_count_; }
  std::uint64_t count(Situation situation) const { return counts_.at(static_cast<std::size_t>(situation)); }

  /// See floor_of().
  double floor(const SituationRow& row) const;

  /// Those below their floors.
  std::vector<std::string_view> too_rare() const;

 private:
  std::uint64_t sequence_count_ = 0;
  std::array<std::uint64_t, situation_count> counts_{};
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SITUATIONS_H_
