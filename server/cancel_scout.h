// Finds `cancel` among requests that must not be executed yet.
#ifndef LOCKD_SERVER_CANCEL_SCOUT_H_
#define LOCKD_SERVER_CANCEL_SCOUT_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string_view>

#include "server/protocol.h"

namespace lockd::server {

/// W9: `cancel` acts in the moment in which it comes, but is answered in its turn. So while a session waits, what it
/// keeps is looked through once, as it comes; and that a `cancel` acted is remembered until it is executed.
///
/// `kept` is, in each call, the session's whole kept input: what has come, less what was executed() since. A value.
class CancelScout {
 public:
  /// line_bytes_max: F6's limit.
  explicit CancelScout(std::size_t line_bytes_max) : parser_(line_bytes_max) {}

  /// Looks on. True at the next `cancel`, with its LF the last byte that was looked at; false when there is no whole
  /// line left.
  bool find_cancel(std::string_view kept);

  /// The `cancel` that was just found has ended a wait.
  void mark_found() { acted_.push_back(looked_at_); }

  /// Whether the `cancel` whose line ends so many bytes into the kept input has ended a wait.
  bool has_acted(std::size_t line_end) const { return std::ranges::binary_search(acted_, line_end); }

  /// So many bytes at the front of the kept input were executed. They may be more than were looked at.
  void executed(std::size_t bytes);

 private:
  Parser parser_;
  std::size_t looked_at_ = 0;      // so many bytes of the kept input, but for a line's beginning that the parser knows
  std::deque<std::size_t> acted_;  // where the lines end, in their order
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_CANCEL_SCOUT_H_
