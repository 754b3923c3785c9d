#include "client/lockctl/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace lockd::lockctl {

namespace {

constexpr std::string_view second_screen = "\x1b[?1049h\x1b[?25l";  // and hide the cursor
constexpr std::string_view first_screen = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view top_left = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[2K";
constexpr std::string_view clear_below = "\x1b[J";
constexpr std::string_view inverse = "\x1b[7m";
constexpr std::string_view plain = "\x1b[m";

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

bool Terminal::is_there() {
  const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return ::isatty(STDOUT_FILENO) != 0 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

Terminal::Terminal() {
  has_keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
  enter();
}

Terminal::~Terminal() { leave(); }

void Terminal::enter() {
  if (has_keys_) {
    termios settings = before_;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
  }
  write_all(second_screen);
  entered_ = true;
}

void Terminal::leave() {
  if (!entered_) return;
  entered_ = false;
  write_all(first_screen);
  if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

Terminal::Size Terminal::size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

bool Terminal::draw(const std::vector<ScreenLine>& lines) {
  std::string bytes(top_left);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) bytes += "\r\n";
    bytes += clear_line;  // before the text: behind it, it could take the last column away
    if (lines[i].is_title) bytes += inverse;
    bytes += lines[i].text;
    if (lines[i].is_title) bytes += plain;
  }
  // What stands below; the last line is left alone, as the cursor may still be in its last column.
  if (lines.size() < size().rows) bytes.append("\r\n").append(clear_below);
  return write_all(bytes);
}

}  // namespace lockd::lockctl
