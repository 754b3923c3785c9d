#include "server/config_file.h"

#include <iterator>
#include <map>
#include <string_view>

#include "server/setting_values.h"

namespace lockd::server {

namespace {

constexpr std::string_view blanks = " \t\r";

/// Reads a file's text from its beginning to its end.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::vector<CLI::ConfigItem> read() {
    for (skip_to_setting(); !rest_.empty(); skip_to_setting()) {
      const std::size_t line = line_;
      const std::string name = read_name();
      add(name, read_values(name), line);
    }
    return std::move(items_);
  }

  /// Where each setting that was read stands.
  const std::map<std::string, std::size_t>& lines() const { return lines_; }

 private:
  bool at(std::string_view any) const { return !rest_.empty() && any.find(rest_[0]) != std::string_view::npos; }
  bool at_line_end() const { return rest_.empty() || at("\n"); }

  char take() {
    const char taken = rest_[0];
    rest_.remove_prefix(1);
    if (taken == '\n') ++line_;
    return taken;
  }

  void skip(std::string_view any) {
    while (at(any)) take();
  }

  void skip_comment() {
    while (!at_line_end()) take();
  }

  void skip_to_setting() {
    for (skip(" \t\r\n"); at("#;"); skip(" \t\r\n")) skip_comment();
  }

  std::string read_name() {
    if (at("[")) refuse(line_, "a section, but there are none");
    std::string name;
    while (!at_line_end() && !at("=#")) name += take();
    name.erase(name.find_last_not_of(blanks) + 1);
    if (name.empty()) refuse(line_, "no setting before =");
    if (name.find_first_of(blanks) != std::string::npos) refuse(line_, "expected NAME = VALUE: " + name);
    // The library would find a flag by its dashes too: a second name for one setting.
    if (name.starts_with('-')) refuse(line_, "no such setting: " + name + " (it goes without dashes)");
    return name;
  }

  std::vector<std::string> read_values(const std::string& name) {
    std::vector<std::string> values;
    if (!at("=")) {
      values.emplace_back("true");
    } else {
      take();
      skip(blanks);
      at("[") ? read_list(name, values) : read_row(values);
    }
    skip(blanks);
    if (at("#")) skip_comment();
    if (!at_line_end()) refuse(line_, "what stands behind the value of " + name + "?");
    return values;
  }

  /// Up to the end of the line.
  void read_row(std::vector<std::string>& values) {
    for (skip(" \t\r,"); !at_line_end() && !at("#"); skip(" \t\r,")) values.push_back(read_value(""));
    if (values.empty()) values.emplace_back();
  }

  void read_list(const std::string& name, std::vector<std::string>& values) {
    const std::size_t line = line_;
    take();
    for (skip(" \t\r\n,"); !at("]"); skip(" \t\r\n,")) {
      if (rest_.empty()) refuse(line, "the list of " + name + " has no ] at its end");
      at("#") ? skip_comment() : values.push_back(read_value("]"));
    }
    take();
    if (values.empty()) refuse(line, "the list of " + name + " is empty: leave the line out");
  }

  /// end: what may stand right behind it. At least one byte is read.
  std::string read_value(std::string_view end) { return at("\"'") ? read_quoted(end) : read_bare(end); }

  std::string read_quoted(std::string_view end) {
    const std::string quote(1, take());
    std::string value;
    while (!at(quote)) {
      if (at_line_end()) refuse(line_, "a quote is not closed");
      value += take();
    }
    take();
    if (!at_line_end() && !at(" \t\r,") && !at(end)) refuse(line_, "what stands behind \"" + value + "\"?");
    return value;
  }

  /// Brackets that open in it close in it: an IPv6 address has some.
  std::string read_bare(std::string_view end) {
    std::string value;
    for (int open = 0; !at_line_end() && !at(" \t\r,"); value += take()) {
      if (at(end) && open == 0) break;
      open += at("[") ? 1 : at("]") ? -1 : 0;
    }
    return value;
  }

  void add(const std::string& name, const std::vector<std::string>& values, std::size_t line) {
    const auto [found, is_first] = lines_.emplace(name, line);
    if (!is_first) {
      refuse(line, name + " stands in line " + std::to_string(found->second) + " already: keep one of the two");
    }
    items_.push_back({{}, name, values});
  }

  [[noreturn]] static void refuse(std::size_t line, const std::string& what) {
    throw CLI::FileError(std::to_string(line) + ": " + what);
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::vector<CLI::ConfigItem> items_;
  std::map<std::string, std::size_t> lines_;
};

}  // namespace

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& file) const {
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Reader reader(text);
  auto read = reader.read();
  lines_ = reader.lines();
  return read;
}

std::string ConfigFile::line_of(const std::string& name) const {
  const auto found = lines_.find(name);
  return found == lines_.end() ? std::string() : std::to_string(found->second);
}

std::string ConfigFile::to_flag(const CLI::ConfigItem& item) const {
  if (item.inputs.size() > 1) throw CLI::ArgumentMismatch("--" + item.name + ": several values for a switch");
  // The library would take an empty one for true.
  if (item.inputs.front().empty()) throw CLI::ValidationError("--" + item.name, check_switch(""));
  return item.inputs.front();
}

}  // namespace lockd::server
