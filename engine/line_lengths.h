// How long the longest of many lines is (E3), known at any time without looking at the lines.
#ifndef LOCKD_ENGINE_LINE_LENGTHS_H_
#define LOCKD_ENGINE_LINE_LENGTHS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "engine/check.h"

namespace lockd::engine {

/// Counts how many lines have each length. All O(1), but that memory is taken and given back by doubling and halving.
/// Only reserve() can fail. Copyable; not thread-safe.
class LineLengths {
 public:
  /// Makes sure that a line may grow to this length. Throws std::bad_alloc and changes nothing where memory is out.
  void reserve(std::uint32_t length) {
    if (length > counts_.size()) counts_.resize(std::max({std::size_t{length}, smallest, 2 * counts_.size()}));
  }

  /// A line is one longer than before. Needs a reserve() of that length before it; cannot fail then.
  void grew_to(std::uint32_t length) noexcept {
    LOCKD_CHECK(length >= 1 && length <= counts_.size(), "reserve() comes before grew_to()");
    if (length > 1) --counts_[length - 2];
    ++counts_[length - 1];
    longest_ = std::max(longest_, length);
  }

  /// A line is one shorter than before; 0 where it is gone.
  void shrank_to(std::uint32_t length) noexcept {
    LOCKD_CHECK(length < longest_ && counts_[length] > 0, "a line that shrinks was as long as that");
    --counts_[length];
    if (length > 0) ++counts_[length - 1];
    if (counts_[longest_ - 1] == 0)
      longest_ = length;  // then it was the only one of its length, and is the longest yet
    if (counts_.size() > smallest && std::size_t{longest_} * 8 < counts_.size()) give_back();
  }

  std::uint32_t longest() const { return longest_; }

  /// How many lines have this length, which is 1 or more. For checks.
  std::uint32_t lines_of(std::uint32_t length) const { return length <= counts_.size() ? counts_[length - 1] : 0; }

 private:
  static constexpr std::size_t smallest = 8;

  /// If there is memory to do it with: a line that shrinks does not fail.
  void give_back() noexcept {
    try {
      std::vector<std::uint32_t>(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(counts_.size() / 2))
          .swap(counts_);
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  std::vector<std::uint32_t> counts_;  // counts_[n - 1]: lines of n waiters
  std::uint32_t longest_ = 0;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_LINE_LENGTHS_H_
