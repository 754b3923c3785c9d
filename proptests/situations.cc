// Which situation an event makes, by the model's state before and after it.
#include "proptests/situations.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace lockd::proptests {
namespace {

bool contains(const std::vector<SessionId>& sessions, SessionId session) {
  return std::ranges::find(sessions, session) != sessions.end();
}

// The lock that a request is about; none where it is no get and no release.
std::optional<model::Lock> lock_of(const Event& event) {
  if (event.verb == Verb::get || event.verb == Verb::release) return model::Lock{LockKind::exclusive, event.key};
  if (event.verb == Verb::get_shared || event.verb == Verb::release_shared) {
    return model::Lock{LockKind::shared, event.key};
  }
  return std::nullopt;
}

bool is_get(const Event& event) { return event.verb == Verb::get || event.verb == Verb::get_shared; }

}  // namespace

// The shares are those among 100,000 sequences, from 10 seeds with 10,000 each. Who changes the generator measures
// again: conformance_test prints the counts.
const std::array<SituationRow, situation_count> situation_table = {{
    {Situation::get_of_another_s, "get of another's lock", 0.3068},
    {Situation::get_again, "get again", 0.2565},
    {Situation::release_by_another, "release by another", 0.2164},
    {Situation::release_of_a_free_key, "release of a free key", 0.7581},
    {Situation::retaken_after_release, "retaken by another after a release", 0.0837},
    {Situation::three_holders, "three holders or more", 0.1768},
    {Situation::thirteen_holders, "thirteen holders or more", 0.0069},
    {Situation::shared_again, "shared again", 0.2947},
    {Situation::leaves_from_the_middle, "a holder leaves from the middle", 0.0472},
    {Situation::shared_release_by_another, "shared release by another", 0.2059},
    {Situation::both_kinds_of_one_key, "both kinds of one key, two sessions", 0.2392},
    {Situation::refused_by_the_bound, "refused by the bound", 0.1199},
    {Situation::refused_before_contention, "refused by the bound, key held", 0.0483},
    {Situation::get_again_at_the_bound, "get again at the bound", 0.1274},
    {Situation::ends_with_both_kinds, "ends with both kinds", 0.0918},
    {Situation::ends_with_shared_alone, "ends with shared locks alone", 0.2512},
    {Situation::a_slice_leaves_locks, "a slice leaves locks", 0.0949},
    {Situation::freed_lock_taken_meanwhile, "taken between two slices", 0.0247},
    {Situation::get_of_a_dead_session_s, "get of a dead session's lock", 0.0145},
    {Situation::the_dead_ask, "the dead ask", 0.6756},
    {Situation::ends_twice, "ends twice", 0.5003},
    {Situation::a_thousand_keys, "more than a thousand keys", 0.0145},
}};

void SituationTracker::before(const model::LockModel& model, const Event& event) {
  held_before_ = model.locks_of(event.session);
  if (!event.verb) {
    before_end(model, event.session);
  } else if (!model.live.contains(event.session)) {
    note(Situation::the_dead_ask, true);
  } else if (const auto lock = lock_of(event)) {
    is_get(event) ? before_get(model, event, *lock) : before_release(model, event, *lock);
  }
}

void SituationTracker::before_get(const model::LockModel& model, const Event& event, const model::Lock& lock) {
  const auto holders = model.holders(lock);
  const bool mine = contains(holders, event.session);
  const bool another_s = lock.kind == LockKind::exclusive && !holders.empty() && !mine;
  const bool at_bound = model.max_locks != 0 && held_before_.size() >= model.max_locks;
  note(Situation::get_of_another_s, another_s && !at_bound);
  note(Situation::get_of_a_dead_session_s, another_s && model.ended.contains(holders.front()));
  note(lock.kind == LockKind::exclusive ? Situation::get_again : Situation::shared_again, mine);
  note(Situation::get_again_at_the_bound, mine && at_bound);
  note(Situation::refused_by_the_bound, !mine && at_bound && holders.empty());
  note(Situation::refused_before_contention, at_bound && another_s);
}

void SituationTracker::before_release(const model::LockModel& model, const Event& event, const model::Lock& lock) {
  const auto holders = model.holders(lock);
  const bool mine = contains(holders, event.session);
  const bool shared = lock.kind == LockKind::shared;
  note(shared ? Situation::shared_release_by_another : Situation::release_by_another, !mine && !holders.empty());
  note(Situation::release_of_a_free_key, holders.empty());
  note(Situation::leaves_from_the_middle, mine && holders.front() != event.session && holders.back() != event.session);
  if (mine && !shared) last_holder_[lock] = event.session;
}

void SituationTracker::before_end(const model::LockModel& model, SessionId session) {
  const auto held_of = [&](LockKind kind) { return std::ranges::count(held_before_, kind, &model::Lock::kind); };
  const bool alive = model.live.contains(session);
  note(Situation::ends_twice, !alive && held_before_.empty());
  note(Situation::ends_with_both_kinds, alive && held_of(LockKind::exclusive) > 0 && held_of(LockKind::shared) > 0);
  note(Situation::ends_with_shared_alone, alive && held_of(LockKind::exclusive) == 0 && held_of(LockKind::shared) > 0);
}

void SituationTracker::after(const model::LockModel& model, const Event& event) {
  note(Situation::a_thousand_keys, model.held.size() > 1000);
  const auto held = model.locks_of(event.session);
  if (!event.verb) {
    note(Situation::a_slice_leaves_locks, !held.empty());
    std::erase_if(lost_in_slice_, [&](const auto& lost) { return lost.second == event.session; });
    for (const model::Lock& lock : held_before_) {
      if (!held.empty() && !std::ranges::binary_search(held, lock)) lost_in_slice_[lock] = event.session;
    }
    return;
  }
  const auto lock = lock_of(event);
  if (!lock || !is_get(event) || held.size() == held_before_.size()) return;
  const auto holders = model.holders(*lock);
  note(Situation::three_holders, holders.size() >= 3);
  note(Situation::thirteen_holders, holders.size() >= 13);
  note(Situation::freed_lock_taken_meanwhile, lost_in_slice_.contains(*lock));
  const auto last = last_holder_.find(*lock);
  note(Situation::retaken_after_release, last != last_holder_.end() && last->second != event.session);
  const auto other_kind = lock->kind == LockKind::exclusive ? LockKind::shared : LockKind::exclusive;
  const auto others = model.holders({other_kind, lock->key});
  note(Situation::both_kinds_of_one_key, !others.empty() && !contains(others, event.session));
}

void SituationTracker::note(Situation situation, bool occurs) {
  if (occurs) seen_.set(static_cast<std::size_t>(situation));
}

void SituationTally::add(const std::bitset<situation_count>& seen) {
  ++sequence_count_;
  for (std::size_t i = 0; i < situation_count; ++i) counts_[i] += seen[i] ? 1 : 0;
}

double SituationTally::floor(const SituationRow& row) const {
  const auto n = static_cast<double>(sequence_count_);
  return n * row.share - 7 * std::sqrt(n * row.share * (1 - row.share));
}

}  // namespace lockd::proptests
