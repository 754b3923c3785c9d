// simulator [--first SEED] [--seeds COUNT] [--seconds S] [--trace FILE] - runs seeds from SEED (1) on, COUNT of them
// (400), or as many as it can within S seconds, each twice. Prints what happened, and fails at the first seed whose run
// fails, with the line that runs it again; or where something named happened too rarely. --trace: every step of every
// run, to FILE.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "simulator/runner.h"
#include "simulator/situations.h"

namespace {

using namespace lockd::simulator;  // NOLINT(google-build-using-namespace): a program of this folder

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 400;
  std::chrono::seconds time = std::chrono::hours(24 * 365);
  std::string trace;
};

/// Exits where they are none.
Options parse(int argument_count, char** arguments) {
  Options options;
  for (int i = 1; i < argument_count; i += 2) {
    const std::string_view name = arguments[i];
    const char* value = i + 1 < argument_count ? arguments[i + 1] : "";
    const std::uint64_t number = std::strtoull(value, nullptr, 10);
    if (name == "--first" && number > 0) {
      options.first = number;
    } else if (name == "--seeds" && number > 0) {
      options.seeds = number;
    } else if (name == "--seconds" && number > 0) {
      options.time = std::chrono::seconds(number);
      options.seeds = std::numeric_limits<std::uint64_t>::max();
    } else if (name == "--trace" && *value != '\0') {
      options.trace = value;
    } else {
      std::fprintf(stderr, "usage: simulator [--first SEED] [--seeds COUNT] [--seconds S] [--trace FILE]\n");
      std::exit(2);  // NOLINT(concurrency-mt-unsafe): there is one thread
    }
  }
  return options;
}

int report(std::uint64_t seed, const char* what) {
  std::printf("seed %llu: %s\nsee it again by: ci/simulate --seed %llu\n", static_cast<unsigned long long>(seed), what,
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return 1;
}

int report_crash(std::uint64_t seed) { return report(seed, "it crashes, or an assert of the server fails"); }

int simulate(const Options& options, std::FILE* trace_file) {
  using SystemClock = std::chrono::steady_clock;
  const auto began = SystemClock::now();
  const auto seconds_gone = [&] { return std::chrono::duration<double>(SystemClock::now() - began).count(); };
  Summary summary;
  double told_at = 0;
  for (std::uint64_t seed = options.first; summary.seeds() < options.seeds; ++seed) {
    const RunOutcome outcome = run_twice(seed, trace_file, {});
    if (outcome.failure) return report(seed, outcome.failure->c_str());
    summary.add(outcome.tally, outcome.steps);
    if (seconds_gone() > static_cast<double>(options.time.count())) break;
    if (seconds_gone() < told_at + 10) continue;
    told_at = seconds_gone();
    std::fprintf(stderr, "%.0f s: seed %llu\n", told_at, static_cast<unsigned long long>(seed));
  }
  summary.print();
  std::printf("seeds %llu to %llu, each twice with the same hash; %llu steps; %.0f seeds an hour\n",
              static_cast<unsigned long long>(options.first),
              static_cast<unsigned long long>(options.first + summary.seeds() - 1),
              static_cast<unsigned long long>(summary.steps()),
              static_cast<double>(summary.seeds()) * 3600 / seconds_gone());
  const auto rare = summary.too_rare();
  for (const std::string& name : rare) std::printf("came up too rarely: %s\n", name.c_str());
  return rare.empty() ? 0 : 1;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const Options options = parse(argument_count, arguments);
  std::FILE* trace_file = nullptr;
  if (!options.trace.empty()) {
    trace_file = std::fopen(options.trace.c_str(), "w");
    if (trace_file == nullptr) {
      std::fprintf(stderr, "%s cannot be written\n", options.trace.c_str());
      return 2;
    }
    std::setvbuf(trace_file, nullptr, _IOLBF, BUFSIZ);  // a crash must not swallow the last lines
  }
  on_crash(report_crash);
  const int status = simulate(options, trace_file);
  if (trace_file != nullptr) std::fclose(trace_file);
  return status;
}
