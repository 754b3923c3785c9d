// The form of the config file: settings, one a line, for the library that knows what they mean.
#ifndef LOCKD_SERVER_CONFIG_FILE_H_
#define LOCKD_SERVER_CONFIG_FILE_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <vector>

namespace lockd::server {

/// Reads lines of `setting = value`, `setting` alone (a switch that is on), comments from # or ; on, and blank lines. A
/// value is bare, or in quotes of either kind where it has blanks or commas; several stand side by side with
/// commas or blanks between, or in a list in brackets, which may go over several lines. A setting stands there once.
/// (The library's own reader takes a part of the file for the whole where a bracket or a quote is not closed, and of a
/// setting that comes again later it takes the first.)
class ConfigFile : public CLI::Config {
 public:
  /// Every setting once, with at least one value, which may be empty. Throws CLI::FileError with one line that begins
  /// with the number of the line and says what is wrong there: a section, no setting before =, a list or a quote that
  /// is not closed, something behind them, an empty list, a setting that comes again.
  std::vector<CLI::ConfigItem> from_config(std::istream& file) const override;

  /// The number of the line in which a setting of the file read last stands; empty where it does not.
  std::string line_of(const std::string& name) const;

  /// The value of a switch. Throws CLI::ArgumentMismatch, as the library does for other settings, where there are more,
  /// and CLI::ValidationError where it is empty.
  std::string to_flag(const CLI::ConfigItem& item) const override;

  /// Never asked for.
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

 private:
  mutable std::map<std::string, std::size_t> lines_;  // the library reads by a const member
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_CONFIG_FILE_H_
