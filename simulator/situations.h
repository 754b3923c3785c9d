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

  /// The situations that came up in fewer runs than their floor (proptests/floor.h).
  std::vector<std::string> too_rare() const;

  /// What happened: how often, in how many runs, in which share of them, and the floor.
  void print() const;

  /// The situations that have a floor.
  static std::vector<std::string> names();

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
