#include "simulator/runner.h"

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdlib>

namespace lockd::simulator {
namespace {

int (*told_on_crash)(std::uint64_t seed) = nullptr;
std::uint64_t seed_that_runs = 0;

void die(int signal) {
  std::signal(signal, SIG_DFL);
  std::_Exit(told_on_crash(seed_that_runs));
}

}  // namespace

RunOutcome run_twice(std::uint64_t seed, std::FILE* trace_file, FaultName planted) {
  spdlog::set_level(spdlog::level::off);
  seed_that_runs = seed;
  RunOutcome first = run_seed(seed, trace_file, planted);
  if (first.failure) return first;
  const RunOutcome again = run_seed(seed, nullptr, planted);
  if (again.failure || again.hash != first.hash) first.failure = "the same seed goes another way the second time";
  return first;
}

void on_crash(int (*last_words)(std::uint64_t seed)) {
  told_on_crash = last_words;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(signal, die);
}

}  // namespace lockd::simulator
