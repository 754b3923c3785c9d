// The bytes that a server sends, cut into the replies that are waited for. Pure.
#ifndef LOCKD_CLIENT_REPLY_QUEUE_H_
#define LOCKD_CLIENT_REPLY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockd/result.h"

namespace lockd {

/// Where a reply ends (F10).
enum class Framing : std::uint8_t {
  line,        // one line
  until_end,   // lines, then END; or one line that begins with "0 ", which none of those does
  until_pong,  // lines, then that of a `ping` which was sent behind the request; none of those can look like it
};

/// A reply that has come, or is to come.
struct Reply {
  Framing framing = Framing::line;
  std::vector<std::string> lines = {};  // without LFs, and without the line that only ends it
  bool is_whole = false;
};

/// Replies come in the order of the requests (F5): what is expected first is filled first.
class ReplyQueue {
 public:
  /// reply_bytes_max: no reply may take more memory, each line's own included.
  explicit ReplyQueue(std::size_t reply_bytes_max) : reply_bytes_max_(reply_bytes_max) {}

  /// A request with such a reply is being sent.
  std::shared_ptr<const Reply> expect(Framing framing);

  /// Takes what has come. protocol_error where more came than was asked for, reply_too_long where a reply takes more
  /// memory than it may: then this is of no more use.
  std::optional<Error> take(std::string_view bytes);

 private:
  std::optional<Error> deliver(std::string_view line);

  std::size_t reply_bytes_max_;
  std::deque<std::shared_ptr<Reply>> expected_;  // oldest first, none of them whole
  std::string begun_;                            // the beginning of a line
  std::size_t reply_bytes_ = 0;                  // taken by the oldest one's whole lines
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_REPLY_QUEUE_H_
