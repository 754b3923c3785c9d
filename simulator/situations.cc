#include "simulator/situations.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace lockd::simulator {
namespace {

struct Row {
  std::string_view name;
  double share;  // of runs in which it comes up
};

/// As measured over 500 seeds or more, and a tenth less. What is not here is only counted.
constexpr std::array rows = {
    Row{"answered in the end", 1},
    Row{"bytes while it waits", 0.75},
    Row{"cancel beside grant", 0.03},
    Row{"circle refused", 0.2},
    Row{"end beside grant", 0.035},
    Row{"ended for taking nothing", 0.27},
    Row{"fault: FIN", 0.45},
    Row{"fault: RST", 0.47},
    Row{"fault: failed write", 0.39},
    Row{"fault: host vanishes", 0.37},
    Row{"fault: jump of the clock", 0.85},
    Row{"fault: not ready", 0.55},
    Row{"fault: partial write", 0.68},
    Row{"fault: stop reading", 0.55},
    Row{"fault: too many", 0.3},
    Row{"hand-over", 0.95},
    Row{"newcomer served", 1},
    Row{"output full", 0.4},
    Row{"replies compared with the reference server", 0.28},
    Row{"request between slices of an end", 0.09},
    Row{"several timers due", 0.57},
    Row{"switch within a handler", 0.6},
    Row{"table compared with the model", 1},
    Row{"timeout beside grant", 0.1},
    Row{"too much input", 0.065},
    Row{"verb: cancel", 0.63},
    Row{"verb: dump", 0.66},
    Row{"verb: list", 0.68},
    Row{"verb: quit", 0.43},
    Row{"verb: ra", 0.56},
    Row{"verb: stats", 0.39},
    Row{"verb: who", 0.64},
    Row{"wait timed out", 0.68},
    Row{"waits for a mutex", 0.28},
};

}  // namespace

void Summary::add(const Tally& tally, std::uint64_t steps) {
  ++seeds_;
  steps_ += steps;
  for (const auto& [name, count] : tally) {
    sum_[name] += count;
    ++runs_[name];
  }
}

double Summary::floor(double share) const {
  const auto runs = static_cast<double>(seeds_);
  return runs * share - 7 * std::sqrt(runs * share * (1 - share));
}

std::vector<std::string> Summary::too_rare() const {
  std::vector<std::string> rare;
  for (const auto& [name, share] : rows) {
    const auto found = runs_.find(name);
    const double runs = found == runs_.end() ? 0 : static_cast<double>(found->second);
    if (runs < floor(share)) rare.emplace_back(name);
  }
  return rare;
}

void Summary::print() const {
  std::printf("%-40s %12s %10s %8s\n", "", "times", "in runs", "floor");
  for (const auto& [name, count] : sum_) {
    std::printf("%-40s %12llu %10llu", name.c_str(), static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(runs_.at(name)));
    for (const auto& [situation, share] : rows) {
      if (situation == name && floor(share) > 0) std::printf(" %8.0f", std::ceil(floor(share)));
    }
    std::printf("\n");
  }
}

}  // namespace lockd::simulator
