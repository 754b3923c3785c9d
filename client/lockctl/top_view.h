// What `lockctl top` shows, as lines of text: pure, from two looks at a server.
#ifndef LOCKD_CLIENT_LOCKCTL_TOP_VIEW_H_
#define LOCKD_CLIENT_LOCKCTL_TOP_VIEW_H_

#include <lockd/client.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lockd::lockctl {

/// One look at a server.
struct Look {
  std::map<std::string, std::uint64_t> stats;  // E3
  std::vector<ListedLock> locks;               // E2
  std::string not_listed;                      // why there are no locks, a sentence; empty: there are
  std::chrono::steady_clock::time_point at;
};

/// The view of a server: the last look, and the one before for what is said in "a second".
struct View {
  std::string server;            // its URI
  std::string version;           // X.Y.Z
  std::string clock;             // the time of day, as text
  const Look* before = nullptr;  // null: there was none, and rates are shown as -
  const Look* now = nullptr;     // not null
};

/// Events a second of a counter, 0 where it has not grown; of all requests together with the name "requests".
double rate_of(const View& view, const std::string& counter);

/// A number in five columns at most: 0 to 99999, 123k, 12.3M and so on.
std::string short_number(std::uint64_t number);

/// A time in seven columns at most: 250ms, 59.9s, 12m05s, 3h07m, 12d03h.
std::string short_time(std::chrono::milliseconds time);

/// What is known of one key and mode.
struct KeyRow {
  std::string key;
  Mode mode = Mode::exclusive;
  std::size_t waiters = 0;
  std::chrono::milliseconds oldest_wait{0};
  std::size_t holders = 0;
  std::chrono::milliseconds longest_hold{0};
  std::string first_holder;
};

/// One for each key and mode of the list: the longest lines first, of equal ones that whose first has waited longest,
/// then what has been held longest, then by key.
std::vector<KeyRow> rows_of(const std::vector<ListedLock>& locks);

struct ScreenLine {
  std::string text;       // of at most as many columns as there are; nothing in it steers a terminal
  bool is_title = false;  // to stand out; it takes exactly the columns that there are
};

/// The whole screen: at most `rows` lines.
std::vector<ScreenLine> screen_of(const View& view, std::size_t columns, std::size_t rows);

/// For what is no terminal: the names of the columns, and one look's numbers. No line end.
std::string plain_heading();
std::string plain_line(const View& view);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_TOP_VIEW_H_
