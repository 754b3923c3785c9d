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
    Row{"bytes while it waits", 0.8673},
    Row{"cancel beside grant", 0.0226},
    Row{"circle refused", 0.2761},
    Row{"clock of a pass is behind", 0.3908},
    Row{"end beside grant", 0.0406},
    Row{"ended for taking nothing", 0.164},
    Row{"fault: FIN", 0.533},
    Row{"fault: RST", 0.5282},
    Row{"fault: failed write", 0.4335},
    Row{"fault: host vanishes", 0.4229},
    Row{"fault: jump of the clock", 0.9233},
    Row{"fault: not ready", 0.5817},
    Row{"fault: partial write", 0.6922},
    Row{"fault: stop reading", 0.5712},
    Row{"fault: too many", 0.3426},
    Row{"hand-over", 0.9997},  // it came up in all of them, though nothing makes that sure
    Row{"newcomer served", 1},
    Row{"output full", 0.4184},
    Row{"replies compared with the reference server", 0.2939},
    Row{"request between slices of an end", 0.1063},
    Row{"several sockets in a pass", 0.9548},
    Row{"several timers due", 0.5118},
    Row{"switch within a handler", 0.6728},
    Row{"table compared with the model", 1},
    Row{"timeout beside grant", 0.1043},
    Row{"too much input", 0.1082},
    Row{"verb: cancel", 0.6967},
    Row{"verb: dump", 0.7169},
    Row{"verb: list", 0.7817},
    Row{"verb: quit", 0.4978},
    Row{"verb: ra", 0.6045},
    Row{"verb: stats", 0.4839},
    Row{"verb: who", 0.707},
    Row{"wait timed out", 0.7562},
    Row{"waits for a mutex", 0.3244},
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
