// Memory that goes from one string to the next.
#ifndef LOCKD_SERVER_SPARE_BUFFER_H_
#define LOCKD_SERVER_SPARE_BUFFER_H_

#include <cstddef>
#include <string>

#include "engine/check.h"

namespace lockd::server {

/// Lends its memory to whichever string of a thread needs some for a moment, and takes it back: what many connections
/// need in turn none of them keeps, and none has to ask the system for. A value; not thread-safe.
class SpareBuffer {
 public:
  /// Of larger ones the memory is freed.
  static constexpr std::size_t bytes_max = 128 * 1024;

  /// To a string that is empty and has no memory of its own, or little.
  void lend(std::string& empty) {
    LOCKD_CHECK(empty.empty(), "nothing is lost by lending");
    if (spare_.capacity() > empty.capacity()) empty.swap(spare_);
  }

  /// The string is empty then, and keeps no memory.
  void take_back(std::string& used) {
    used.clear();
    if (used.capacity() > spare_.capacity() && used.capacity() <= bytes_max) used.swap(spare_);
    std::string().swap(used);
  }

  /// The same where the string is to stay as it is, for nobody knows how long: if it needs less than half its memory,
  /// it is copied to some of its own.
  void take_back_around(std::string& kept) {
    if (kept.size() >= kept.capacity() / 2) return;
    std::string copy(kept);
    take_back(kept);
    kept.swap(copy);
  }

 private:
  std::string spare_;  // always empty
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SPARE_BUFFER_H_
