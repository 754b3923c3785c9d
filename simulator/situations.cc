#include "simulator/situations.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "proptests/floor.h"

namespace lockd::simulator {
namespace {

using proptests::floor_of;

struct Row {
  std::string_view name;
  double share;  // of runs in which it comes up
};

constexpr std::uint64_t seeds_measured = 10'000;

/// As measured over so many: `simulator --first 1000001 --seeds 10000` prints the shares. What is not here is only
/// counted.
constexpr std::array rows = {
    Row{"answered in the end", 1},
    Row{"bytes while it waits", 0.844},
    Row{"cancel beside grant", 0.0242},
    Row{"circle refused", 0.2556},
    Row{"end beside grant", 0.0525},
    Row{"ended for taking nothing", 0.2544},
    Row{"fault: FIN", 0.5242},
    Row{"fault: RST", 0.5219},
    Row{"fault: failed write", 0.4329},
    Row{"fault: host vanishes", 0.4171},
    Row{"fault: jump of the clock", 0.8869},
    Row{"fault: not ready", 0.5908},
    Row{"fault: partial write", 0.6931},
    Row{"fault: stop reading", 0.5704},
    Row{"fault: too many", 0.3428},
    Row{"hand-over", 0.9997},  // it came up in all of them, though nothing makes that sure
    Row{"newcomer served", 1},
    Row{"output full", 0.4128},
    Row{"replies compared with the reference server", 0.2939},
    Row{"request between slices of an end", 0.1013},
    Row{"several timers due", 0.5108},
    Row{"switch within a handler", 0.6724},
    Row{"table compared with the model", 1},
    Row{"timeout beside grant", 0.1082},
    Row{"too much input", 0.1059},
    Row{"verb: cancel", 0.6878},
    Row{"verb: dump", 0.6946},
    Row{"verb: list", 0.7623},
    Row{"verb: quit", 0.4771},
    Row{"verb: ra", 0.5956},
    Row{"verb: stats", 0.4697},
    Row{"verb: who", 0.6941},
    Row{"wait timed out", 0.7305},
    Row{"waits for a mutex", 0.3134},
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

std::vector<std::string> Summary::names() {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> Summary::too_rare() const {
  std::vector<std::string> rare;
  for (const auto& [name, share] : rows) {
    const auto found = runs_.find(name);
    const double runs = found == runs_.end() ? 0 : static_cast<double>(found->second);
    if (runs < floor_of(seeds_, share, seeds_measured)) rare.emplace_back(name);
  }
  return rare;
}

void Summary::print() const {
  std::printf("%-44s %12s %10s %8s %8s\n", "", "times", "in runs", "share", "floor");
  for (const auto& [name, count] : sum_) {
    const auto runs = static_cast<double>(runs_.at(name));
    std::printf("%-44s %12llu %10.0f %8.4f", name.c_str(), static_cast<unsigned long long>(count), runs,
                runs / static_cast<double>(seeds_));
    for (const auto& [situation, share] : rows) {
      const double floor = floor_of(seeds_, share, seeds_measured);
      if (situation == name && floor > 0) std::printf(" %8.0f", std::ceil(floor));
    }
    std::printf("\n");
  }
}

}  // namespace lockd::simulator
