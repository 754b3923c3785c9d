// simulator_canaries FAULT - plants this fault in the server, and runs seeds until it is found. `none` plants none:
// then all must pass, for what is compiled here has some members of the server once more.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "simulator/faults.h"
#include "simulator/runner.h"

namespace {

using lockd::simulator::all_faults;
using lockd::simulator::run_twice;

constexpr std::uint64_t seeds_max = 600;
std::string_view planted;

int found(std::uint64_t seed, const char* how) {
  std::printf("%.*s: found by seed %llu: %s\n", static_cast<int>(planted.size()), planted.data(),
              static_cast<unsigned long long>(seed), how);
  std::fflush(stdout);
  return planted.empty() ? 1 : 0;
}

int found_by_crash(std::uint64_t seed) { return found(seed, "it crashes, or an assert of the server fails"); }

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string_view name = argument_count == 2 ? arguments[1] : "";
  if (name != "none" && std::ranges::find(all_faults, name) == all_faults.end()) {
    std::fprintf(stderr, "usage: simulator_canaries FAULT; one of: none");
    for (const std::string_view fault : all_faults)
      std::fprintf(stderr, " %.*s", static_cast<int>(fault.size()), fault.data());
    std::fprintf(stderr, "\n");
    return 2;
  }
  if (name != "none") planted = name;
  lockd::simulator::on_crash(found_by_crash);
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    const auto outcome = run_twice(seed, nullptr, planted);
    if (outcome.failure) return found(seed, outcome.failure->c_str());
  }
  std::printf("%.*s: not found by %llu seeds\n", static_cast<int>(name.size()), name.data(),
              static_cast<unsigned long long>(seeds_max));
  return planted.empty() ? 0 : 1;
}
