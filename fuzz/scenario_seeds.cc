// Scenario files as inputs of the fuzzers, which start from what is known to be worth a test:
// `scenario_seeds session|parser FOLDER FILE...` writes an input for each file into the folder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/session_steps.h"
#include "proptests/transcript.h"

namespace {

using lockd::fuzz::Action;
using lockd::fuzz::written;
using lockd::proptests::StepKind;
using lockd::proptests::TranscriptStep;

/// The byte of settings that comes nearest to the daemon's flags.
char settings_of(const std::vector<std::string>& flags) {
  constexpr std::string_view bits[] = {"--classic",   "--no-dump",          "--no-registry", "--max-line-bytes",
                                       "--max-locks", "--max-output-bytes", "--threads",     "--max-waiters"};
  int settings = 0;
  for (std::size_t i = 0; i < std::size(bits); ++i) settings |= std::ranges::count(flags, bits[i]) > 0 ? 1 << i : 0;
  if (std::ranges::count(flags, "--max-input-bytes") > 0) settings |= 1 << 7;
  return static_cast<char>(settings);
}

/// Clients beyond the last connection share them.
std::string session_input(const std::vector<TranscriptStep>& steps) {
  std::string input(1, '\0');
  std::vector<std::string> clients;
  std::size_t in_use = 0;
  for (const TranscriptStep& step : steps) {
    if (step.kind == StepKind::flags) input[0] = settings_of(step.lines);
    if (step.kind == StepKind::connect) clients.push_back(step.client);
    const auto number = static_cast<std::size_t>(std::ranges::find(clients, step.client) - clients.begin());
    const std::size_t slot = number % lockd::fuzz::slot_count;
    if (step.kind == StepKind::send) {
      if (slot != in_use) input += written(Action::use, slot);
      in_use = slot;
      input += written(step.bytes);
    }
    if (step.kind == StepKind::finish || step.kind == StepKind::close) input += written(Action::finish, slot);
    if (step.kind == StepKind::reset) input += written(Action::reset, slot);
    if (step.kind == StepKind::time_out) input += written(Action::time_out, slot);
  }
  return input;
}

/// All that is sent, in one stream and in small chunks.
std::string parser_input(const std::vector<TranscriptStep>& steps) {
  std::string input = {'\0', '\x05'};
  for (const TranscriptStep& step : steps) {
    if (step.kind == StepKind::send) input += step.bytes;
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3 || (arguments[0] != "session" && arguments[0] != "parser")) {
    std::fputs("usage: scenario_seeds session|parser FOLDER FILE...\n", stderr);
    return 2;
  }
  try {
    for (const std::filesystem::path file : std::span(arguments).subspan(2)) {
      const auto steps = load_transcript(file, lockd::proptests::TranscriptFormat::scenario);
      std::ofstream(std::filesystem::path(arguments[1]) / file.stem(), std::ios::binary)
          << (arguments[0] == "session" ? session_input(steps) : parser_input(steps));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
