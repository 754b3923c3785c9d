// What runs must have come across: a run in which nothing happened proves nothing.
#ifndef LOCKD_SIMULATOR_SITUATIONS_H_
#define LOCKD_SIMULATOR_SITUATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/simulation.h"

namespace lockd::simulator {

/// Over many seeds: how often what happened, and in how many of the runs at all.
class Summary {
 public:
  void add(const Tally& tally, std::uint64_t steps);

  /// The situations that came up in fewer runs than the floor, which is 7 standard deviations below the share that was
  /// measured: by chance none does once in 10^11 times.
  std::vector<std::string> too_rare() const;

  /// What happened: how often, in how many runs, in which share of them, and the floor.
  void print() const;

  /// The situations that have a floor, and the floor of one with this share among so many runs.
  static std::vector<std::string> names();
  static double floor(std::uint64_t seeds, double share);

  std::uint64_t seeds() const { return seeds_; }
  std::uint64_t steps() const { return steps_; }

 private:
  Tally sum_;
  Tally runs_;
  std::uint64_t seeds_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_SITUATIONS_H_
