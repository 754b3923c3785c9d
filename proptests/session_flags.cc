#include "proptests/session_flags.h"

#include <cstdint>
#include <utility>

#include "proptests/scenario_target.h"

namespace lockd::proptests {

SessionLockstep::Config config_of(std::vector<std::string> flags) {
  SessionLockstep::Config config;
  server::Settings& settings = config.settings;
  settings.classic = take_flag(flags, "--classic");
  settings.dump = !take_flag(flags, "--no-dump");
  settings.registry = !take_flag(flags, "--no-registry");
  settings.line_bytes_max = take_number(flags, "--max-line-bytes", settings.line_bytes_max);
  settings.input_bytes_max = take_number(flags, "--max-input-bytes", settings.input_bytes_max);
  settings.output_bytes_max = take_number(flags, "--max-output-bytes", settings.output_bytes_max);
  config.locks_max = take_number(flags, "--max-locks", config.locks_max);
  config.waiters_max = take_number(flags, "--max-waiters", config.waiters_max);
  expect_none_left(flags);
  return config;
}

std::string flags_of(const SessionLockstep::Config& config) {
  const server::Settings& settings = config.settings;
  const server::Settings usual;
  std::string flags;
  if (settings.classic) flags += " --classic";
  if (!settings.dump) flags += " --no-dump";
  if (!settings.registry) flags += " --no-registry";
  const auto add = [&](const char* flag, std::uint64_t number, std::uint64_t otherwise) {
    if (number != otherwise) flags += flag + std::to_string(number);
  };
  add(" --max-line-bytes ", settings.line_bytes_max, usual.line_bytes_max);
  add(" --max-input-bytes ", settings.input_bytes_max, usual.input_bytes_max);
  add(" --max-output-bytes ", settings.output_bytes_max, usual.output_bytes_max);
  add(" --max-locks ", config.locks_max, 0);
  add(" --max-waiters ", config.waiters_max, 0);
  return flags;
}

}  // namespace lockd::proptests
