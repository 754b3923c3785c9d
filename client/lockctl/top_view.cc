#include "client/lockctl/top_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <tuple>
#include <utility>

#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

std::uint64_t counter_of(const Look& look, const std::string& name) {
  const auto found = look.stats.find(name);
  return found == look.stats.end() ? 0 : found->second;
}

std::uint64_t requests_of(const Look& look) {
  std::uint64_t sum = 0;
  for (const auto& [name, number] : look.stats) sum += name.starts_with("command_") ? number : 0;
  return sum;
}

/// printf for what has few columns.
template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

struct Cell {
  const char* label;
  std::string value;
};

std::string rate_text(const View& view, const char* counter) {
  if (view.before == nullptr) return "-";
  return short_number(static_cast<std::uint64_t>(std::llround(rate_of(view, counter))));
}

using Grid = std::array<std::array<Cell, 4>, 3>;

Grid grid_of(const View& view) {
  const Look& now = *view.now;
  const auto number = [&now](const char* name) { return short_number(counter_of(now, name)); };
  const bool waits = counter_of(now, "waiters") > 0;
  const milliseconds oldest(static_cast<std::int64_t>(counter_of(now, "oldest_waiter_ms")));
  return {{{{{"requests/s", rate_text(view, "requests")},
             {"acquires/s", rate_text(view, "grants")},
             {"waits/s", rate_text(view, "waits")},
             {"timeouts/s", rate_text(view, "timeouts")}}},
           {{{"connections", number("connections")},
             {"exclusive", number("locks")},
             {"shared", number("shared_locks")},
             {"holders", number("holders")}}},
           {{{"waiters", number("waiters")},
             {"longest line", number("longest_line")},
             {"oldest", waits ? short_time(oldest) : "-"},
             {"refusals/s", rate_text(view, "refusals")}}}}};
}

/// Of a cell and the blanks behind it.
constexpr std::size_t cell_columns_min = 20;
constexpr std::size_t cell_columns_max = 26;

/// As many of the cells as there is room for; those that matter most come first.
std::string grid_line(const std::array<Cell, 4>& cells, std::size_t columns) {
  const std::size_t shown = std::clamp<std::size_t>((columns + 2) / cell_columns_min, 1, cells.size());
  const std::size_t width = std::clamp<std::size_t>(columns / shown, cell_columns_min, cell_columns_max);
  std::string line;
  for (const Cell& cell : std::span(cells).first(shown)) {
    if (!line.empty()) line += "  ";
    const std::size_t label_columns = columns_of(cell.label);
    line += cell.label + fitted_right(cell.value, width - 2 - label_columns);
  }
  return line;
}

/// The table's columns, but for the two that share what is left.
constexpr std::size_t narrow_columns = 5 + 2 + 7 + 2;
constexpr std::size_t fixed_columns = narrow_columns + 7 + 2 + 6 + 2;
/// With less room for key and holder the holder goes; with still less all but the line and the key.
constexpr std::size_t two_names_columns_min = 26;
constexpr std::size_t one_name_columns_min = 14;

std::string table_line(const std::array<std::string, 6>& fields, std::size_t columns) {
  std::string line = fitted_right(fields[0], 5) + "  " + fitted_right(fields[1], 7) + "  ";
  if (columns < fixed_columns + one_name_columns_min)
    return line + fitted(fields[4], std::max<std::size_t>(columns, narrow_columns) - narrow_columns);
  line += fitted_right(fields[2], 7) + "  " + fitted(fields[3], 6) + "  ";
  const std::size_t rest = columns - fixed_columns;
  if (rest < two_names_columns_min) return line + fitted(fields[4], rest);
  const std::size_t key_columns = (rest - 2) * 3 / 5;
  return line + fitted(fields[4], key_columns) + "  " + fitted(fields[5], rest - 2 - key_columns);
}

std::string holder_text(const KeyRow& row) {
  if (row.holders <= 1) return row.first_holder;
  return formatted("%zu: ", row.holders) + row.first_holder;
}

std::string row_line(const KeyRow& row, std::size_t columns) {
  return table_line(
      {row.waiters > 0 ? short_number(row.waiters) : "-", row.waiters > 0 ? short_time(row.oldest_wait) : "-",
       row.holders > 0 ? short_time(row.longest_hold) : "-", row.mode == Mode::shared ? "shared" : "excl", row.key,
       holder_text(row)},
      columns);
}

/// The rows that there is room for; where there is none for all, the last line says how many are missing.
void add_rows(const Look& look, std::size_t columns, std::size_t room, std::vector<ScreenLine>& lines) {
  const std::vector<KeyRow> rows = rows_of(look.locks);
  const bool all_fit = rows.size() <= room;
  const std::size_t shown = all_fit ? rows.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back({row_line(rows[i], columns)});
  if (!all_fit) lines.push_back({formatted("       and %zu more", rows.size() - shown)});
}

}  // namespace

double rate_of(const View& view, const std::string& counter) {
  if (view.before == nullptr) return 0;
  const double seconds = std::chrono::duration<double>(view.now->at - view.before->at).count();
  const bool all = counter == "requests";
  const std::uint64_t before = all ? requests_of(*view.before) : counter_of(*view.before, counter);
  const std::uint64_t now = all ? requests_of(*view.now) : counter_of(*view.now, counter);
  return now > before && seconds > 0 ? static_cast<double>(now - before) / seconds : 0;
}

std::string short_number(std::uint64_t number) {
  if (number < 100'000) return std::to_string(number);
  auto scaled = static_cast<double>(number);
  for (const char unit : {'k', 'M', 'G', 'T', 'P', 'E'}) {
    scaled /= 1000;
    if (scaled < 99.95) return formatted("%.1f%c", scaled, unit);
    if (scaled < 999.5) return formatted("%.0f%c", scaled, unit);
  }
  return "many";
}

std::string short_time(milliseconds time) {
  const auto ms = static_cast<long long>(std::max<std::int64_t>(time.count(), 0));
  const long long seconds = ms / 1000;
  if (ms < 1000) return formatted("%lldms", ms);
  if (seconds < 60) return formatted("%lld.%llds", seconds, ms / 100 % 10);
  if (seconds < 3600) return formatted("%lldm%02llds", seconds / 60, seconds % 60);
  if (seconds < 24 * 3600) return formatted("%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
  return formatted("%lldd%02lldh", seconds / (24 * 3600), seconds / 3600 % 24);
}

std::vector<KeyRow> rows_of(const std::vector<ListedLock>& locks) {
  std::map<std::pair<std::string, Mode>, KeyRow> by_key;
  for (const ListedLock& lock : locks) {
    KeyRow& row = by_key[{lock.key, lock.mode}];
    row.key = lock.key;
    row.mode = lock.mode;
    if (!lock.waiting && row.holders == 0) row.first_holder = lock.holder;
    ++(lock.waiting ? row.waiters : row.holders);
    milliseconds& longest = lock.waiting ? row.oldest_wait : row.longest_hold;
    longest = std::max(longest, lock.age);
  }
  std::vector<KeyRow> rows;
  for (auto& [key, row] : by_key) rows.push_back(std::move(row));
  std::ranges::sort(rows, [](const KeyRow& one, const KeyRow& other) {
    return std::tie(other.waiters, other.oldest_wait, other.longest_hold, one.key, one.mode) <
           std::tie(one.waiters, one.oldest_wait, one.longest_hold, other.key, other.mode);
  });
  return rows;
}

std::vector<ScreenLine> screen_of(const View& view, std::size_t columns, std::size_t rows) {
  std::vector<ScreenLine> lines;
  const std::string left = "lockctl top  " + view.server + "  lockd " + view.version;
  const std::size_t clock_columns = columns_of(view.clock);
  const std::size_t left_columns = columns > clock_columns + 1 ? columns - clock_columns - 1 : 0;
  lines.push_back({fitted(fitted(left, left_columns) + " " + view.clock, columns)});
  for (const auto& cells : grid_of(view)) lines.push_back({grid_line(cells, columns)});
  lines.push_back({});
  lines.push_back({table_line({"LINE", "OLDEST", "HELD", "MODE", "KEY", "HOLDER"}, columns), true});
  if (!view.now->not_listed.empty()) {
    lines.push_back({view.now->not_listed});
  } else if (rows > lines.size()) {
    add_rows(*view.now, columns, rows - lines.size(), lines);
  }
  if (lines.size() > rows) lines.resize(rows);
  for (ScreenLine& line : lines) {
    if (line.is_title || columns_of(line.text) > columns) line.text = fitted(line.text, columns);
  }
  return lines;
}

std::string plain_heading() {
  return "requests/s acquires/s    waits/s timeouts/s connections  exclusive     shared    holders    waiters "
         "longest_line oldest_ms";
}

std::string plain_line(const View& view) {
  const auto rate = [&view](const char* name) { return formatted("%10.1f", rate_of(view, name)); };
  const auto number = [&view](const char* name, int width) {
    return formatted("%*llu", width, static_cast<unsigned long long>(counter_of(*view.now, name)));
  };
  return rate("requests") + " " + rate("grants") + " " + rate("waits") + " " + rate("timeouts") + " " +
         number("connections", 11) + " " + number("locks", 10) + " " + number("shared_locks", 10) + " " +
         number("holders", 10) + " " + number("waiters", 10) + " " + number("longest_line", 12) + " " +
         number("oldest_waiter_ms", 9);
}

}  // namespace lockd::lockctl
