// How often something has to come up in random runs before they may be believed.
#ifndef LOCKD_PROPTESTS_FLOOR_H_
#define LOCKD_PROPTESTS_FLOOR_H_

#include <cmath>
#include <cstdint>

namespace lockd::proptests {

/// Of `runs`, drawn independently, in a share of which it comes up, as was found in `measured` others.
///
/// The count has a standard deviation of sqrt(n p (1 - p)), or less where p changes from one run to the next; and the
/// share itself is known only as well as so many others tell, which is what counts where there are more runs than
/// these. The floor is 7 deviations below the mean, of both together: by chance a count falls short once in 10^11
/// times, and never where that is below zero.
inline double floor_of(std::uint64_t runs, double share, std::uint64_t measured) {
  const auto n = static_cast<double>(runs);
  const double variance = n * share * (1 - share) * (1 + n / static_cast<double>(measured));
  return n * share - 7 * std::sqrt(variance);
}

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_FLOOR_H_
