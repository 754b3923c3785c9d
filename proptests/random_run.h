// One random sequence on a table and on the specification, every answer and every look compared (RapidCheck's state
// testing).
#ifndef LOCKD_PROPTESTS_RANDOM_RUN_H_
#define LOCKD_PROPTESTS_RANDOM_RUN_H_

#include <cstdint>
#include <functional>

#include "proptests/situations.h"
#include "proptests/table.h"

namespace lockd::proptests {

/// What becomes of a table of so many shards, of which all sessions have ended.
using AtRest = std::function<void(AnyTable table, std::uint32_t shard_count)>;

/// Draws a sequence and runs it, and ends all sessions; to be called by a property of rc::check, which gets to know of
/// a difference by an exception, shrinks the sequence, and shows it as a whole scenario. Returns what the sequence came
/// across.
SituationTracker run_random_sequence(TableMaker maker, const AtRest& at_rest = {});

/// RapidCheck takes its parameters from RC_PARAMS in the environment alone ("seed=7 max_success=100"): sets there how
/// many sequences there are to be, unless it is said there. To be called ahead of the first rc::check.
void set_sequence_count(int count);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_RANDOM_RUN_H_
