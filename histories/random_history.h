// Small random histories of one lock, for tests.
#ifndef LOCKD_HISTORIES_RANDOM_HISTORY_H_
#define LOCKD_HISTORIES_RANDOM_HISTORY_H_

#include <cstdint>
#include <random>
#include <vector>

#include "histories/history.h"

namespace lockd::histories {

/// Draws histories of up to 7 operations of 3 sessions on one key: any answers, any overlaps, ends and unanswered
/// requests. About one in ten is legal.
class RandomHistories {
 public:
  RandomHistories(unsigned seed, LockKind kind) : random_(seed), kind_(kind) {}

  History draw();

 private:
  std::uint32_t below(std::uint32_t limit);
  Outcome one_of(Outcome first, Outcome second) { return below(2) == 0 ? first : second; }
  Operation any_operation();
  Operation any_exclusive();
  Operation any_shared();

  std::mt19937 random_;
  LockKind kind_;
  std::uint64_t token_ = 0;  // they grow in the order of being told, which need not be that of the grants
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_RANDOM_HISTORY_H_
