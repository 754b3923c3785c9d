// The verdict on a small history of one lock by trying everything: the oracle of the search.
#ifndef LOCKD_HISTORIES_BRUTE_FORCE_H_
#define LOCKD_HISTORIES_BRUTE_FORCE_H_

#include <cstdint>

#include "histories/history.h"

namespace lockd::histories {

/// How W1 is understood of a wait that timed out. `exact`: from its arrival in the line to its leaving it takes its
/// time at least. `loose`: it arrives at least its time before its answer, and leaves at least its time after it was
/// asked.
enum class WaitTime : std::uint8_t { exact, loose };

/// Whether the events of the history can be put into an order in which the specification (model/) answers as the
/// history says. Every order is tried, with no memory and no cuts, and each event is given the earliest moment that it
/// can have. For a handful of operations on one key.
bool is_legal_by_brute_force(const History& history, WaitTime wait_time);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_BRUTE_FORCE_H_
