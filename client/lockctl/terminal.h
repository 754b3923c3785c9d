// A terminal that shows whole screens, and is as it was afterwards.
#ifndef LOCKD_CLIENT_LOCKCTL_TERMINAL_H_
#define LOCKD_CLIENT_LOCKCTL_TERMINAL_H_

#include <termios.h>

#include <cstddef>
#include <vector>

#include "client/lockctl/top_view.h"

namespace lockd::lockctl {

/// stdout's terminal, with keys from stdin if that is one too. Speaks the sequences of ECMA-48 that all terminals in
/// use know, and the xterm's for its second screen, which others ignore.
class Terminal {
 public:
  /// Whether stdout is a terminal that can do this: TERM is set, and not "dumb".
  static bool is_there();

  /// enter().
  Terminal();
  /// leave().
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// The second screen, no cursor, keys as they are typed (those that send signals still do).
  void enter();
  /// Everything as it was.
  void leave();

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  [[nodiscard]] static Size size();

  /// The whole screen anew. False if it could not be written.
  static bool draw(const std::vector<ScreenLine>& lines);

 private:
  bool has_keys_ = false;  // stdin is a terminal, and before_ is how it was
  bool entered_ = false;
  termios before_{};
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_TERMINAL_H_
