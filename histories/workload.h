// What clients ask for: drawn at random, with few hot keys and more cold ones.
#ifndef LOCKD_HISTORIES_WORKLOAD_H_
#define LOCKD_HISTORIES_WORKLOAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "histories/history.h"

namespace lockd::histories {

inline constexpr std::uint32_t hot_keys = 8;
inline constexpr std::uint32_t cold_keys = 120;

/// `h0` and so on, then `c0` and so on: the keys of all histories that are recorded, by their indices.
const std::vector<std::string>& all_keys();

using Random = std::mt19937_64;
std::uint32_t below(Random& random, std::uint32_t limit);

/// What one client likes: each has its own share of verbs, so that runs of the rare come up, and few of the hot keys,
/// so that it often holds what it asks about.
class Habits {
 public:
  explicit Habits(Random& random);

  /// A request about locks: act, key, limit and milliseconds.
  Operation draw(Random& random);
  /// How many requests go in one write.
  std::size_t draw_batch(Random& random) const;

 private:
  std::uint32_t draw_key(Random& random, Act act);

  std::vector<unsigned> weights_;                    // of the acts up to Act::cancel
  std::vector<std::uint32_t> favourites_;            // hot keys
  std::array<std::vector<std::uint32_t>, 2> asked_;  // keys got and not released, as far as asking tells: by kind
  std::uint32_t batch_max_;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_WORKLOAD_H_
