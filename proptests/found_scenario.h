// What was found on a lock table, as a scenario that `scenario compare` plays on sessions.
#ifndef LOCKD_PROPTESTS_FOUND_SCENARIO_H_
#define LOCKD_PROPTESTS_FOUND_SCENARIO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proptests/event.h"
#include "proptests/lockstep.h"

namespace lockd::proptests {

/// When those who were handed a lock got to know of it: at once, as sessions do here, or where the events say so.
enum class WakeUps : std::uint8_t { at_once, as_told };

/// The flags, the clients, and the events as lines. What no client can do or no flag can say is a line that begins
/// with `#!`: a table of several shards, few tokens, slices, late wake-ups, and what the dead ask.
std::string scenario_of(const Lockstep::Config& config, const std::vector<Event>& events, WakeUps wake_ups);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_FOUND_SCENARIO_H_
