// The one source of chance: what it gives depends on the seed alone, on every machine.
#ifndef LOCKD_SIMULATOR_RANDOM_H_
#define LOCKD_SIMULATOR_RANDOM_H_

#include <cstddef>
#include <cstdint>

#include "engine/check.h"

namespace lockd::simulator {

/// SplitMix64. A value.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  /// 0 to count - 1; almost evenly, which is even enough for counts below 2^32.
  std::size_t below(std::size_t count) {
    LOCKD_CHECK(count > 0, "one of none cannot be drawn");
    return static_cast<std::size_t>(next() % count);
  }

  /// Both included.
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }

  bool chance(std::size_t per_mille) { return below(1000) < per_mille; }

  template <class Container>
  auto& pick(Container& container) {
    return container[below(container.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_RANDOM_H_
