// Runs of seeds, for the programs.
#ifndef LOCKD_SIMULATOR_RUNNER_H_
#define LOCKD_SIMULATOR_RUNNER_H_

#include <cstdint>
#include <cstdio>

#include "simulator/world.h"

namespace lockd::simulator {

/// Runs the seed twice, and fails too where the two did not go the same way. A trace is written of the first.
RunOutcome run_twice(std::uint64_t seed, std::FILE* trace_file, FaultName planted);

/// From now on, where an assert of the server fails or it crashes, last_words(the seed that runs) is called and the
/// process ends with its result.
void on_crash(int (*last_words)(std::uint64_t seed));

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_RUNNER_H_
