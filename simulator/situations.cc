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
    Row{"bytes while it waits", 0.8648},
    Row{"cancel beside grant", 0.0222},
    Row{"circle refused", 0.2736},
    Row{"clock of a pass is behind", 0.3884},
    Row{"end beside grant", 0.0449},
    Row{"ended for taking nothing", 0.2066},
    Row{"fault: FIN", 0.5327},
    Row{"fault: RST", 0.5284},
    Row{"fault: failed write", 0.4318},
    Row{"fault: host vanishes", 0.4227},
    Row{"fault: jump of the clock", 0.9233},
    Row{"fault: not ready", 0.5815},
    Row{"fault: partial write", 0.6922},
    Row{"fault: stop reading", 0.571},
    Row{"fault: too many", 0.346},
    Row{"hand-over", 0.9997},  // it came up in all of them, though nothing makes that sure
    Row{"newcomer served", 1},
    Row{"output full", 0.4157},
    Row{"replies compared with the reference server", 0.2939},
    Row{"request between slices of an end", 0.1062},
    Row{"several sockets in a pass", 0.9541},
    Row{"several timers due", 0.5099},
    Row{"switch within a handler", 0.6729},
    Row{"table compared with the model", 1},
    Row{"timeout beside grant", 0.1044},
    Row{"too much input", 0.1076},
    Row{"verb: cancel", 0.6949},
    Row{"verb: dump", 0.7129},
    Row{"verb: list", 0.7791},
    Row{"verb: quit", 0.4963},
    Row{"verb: ra", 0.6008},
    Row{"verb: stats", 0.4805},
    Row{"verb: who", 0.7041},
    Row{"wait timed out", 0.753},
    Row{"waits for a mutex", 0.321},
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
