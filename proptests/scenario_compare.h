// What a checker has found, once more by hand.
#ifndef LOCKD_PROPTESTS_SCENARIO_COMPARE_H_
#define LOCKD_PROPTESTS_SCENARIO_COMPARE_H_

#include <optional>
#include <string>
#include <vector>

#include "proptests/transcript.h"

namespace lockd::proptests {

/// Does what the clients of a transcript do, whatever replies it expects, to sessions and engine beside the reference
/// server (SessionLockstep). Nothing, or "file:line: how they differ"; or, where they do not, the first line that no
/// client can play (`#!`, requests of the dead, the time of no wait), for then it has not been shown that they agree.
/// Throws std::invalid_argument at flags that
/// concern the edge. What takes a session several turns (a listing of thousands, `ra` of more than a thousand locks) it
/// can't compare.
std::optional<std::string> compare(const std::vector<TranscriptStep>& steps, const std::string& file);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_COMPARE_H_
