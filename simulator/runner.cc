#include "simulator/runner.h"

#include <spdlog/spdlog.h>

#include "proptests/last_words.h"

namespace lockd::simulator {
namespace {

int (*told_on_crash)(std::uint64_t seed) = [](std::uint64_t) { return 1; };

}  // namespace

RunOutcome run_twice(std::uint64_t seed, std::FILE* trace_file, FaultName planted) {
  spdlog::set_level(spdlog::level::off);
  const proptests::LastWords words([seed] { return told_on_crash(seed); });
  RunOutcome first = run_seed(seed, trace_file, planted);
  if (first.failure) return first;
  const RunOutcome again = run_seed(seed, nullptr, planted);
  if (again.failure || again.hash != first.hash) first.failure = "the same seed goes another way the second time";
  return first;
}

void on_crash(int (*last_words)(std::uint64_t seed)) { told_on_crash = last_words; }

}  // namespace lockd::simulator
