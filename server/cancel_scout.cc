#include "server/cancel_scout.h"

#include <algorithm>

namespace lockd::server {

bool CancelScout::find_cancel(std::string_view kept) {
  while (true) {
    const auto [bytes, line] = parser_.next(kept.substr(looked_at_));
    looked_at_ += bytes;
    if (!line) return false;
    if (line->kind == LineKind::command && line->verb == Verb::cancel) return true;
  }
}

/// Where execution went beyond what was looked at, looking starts anew behind it: at the beginning of a line, or at
/// that of the input's unterminated one.
void CancelScout::executed(std::size_t bytes) {
  while (!acted_.empty() && acted_.front() <= bytes) acted_.pop_front();
  for (std::size_t& line_end : acted_) line_end -= bytes;
  if (bytes > looked_at_) parser_ = Parser(parser_.line_bytes_max());
  looked_at_ -= std::min(bytes, looked_at_);
}

}  // namespace lockd::server
