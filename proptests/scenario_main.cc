// Plays scenario files on one target: `scenario TARGET FILE...`. The daemon, for tcp1, tcp4, unix4 and ws4, is the
// build tree's own, or what LOCKD_BINARY in the environment names. `scenario compare FILE...` needs no replies in the
// files: it says where the sessions' differ from the model's. The file `-` is what comes on stdin.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <span>
#include <string>

#include "proptests/scenario.h"
#include "proptests/scenario_compare.h"

namespace {

std::vector<lockd::proptests::TranscriptStep> steps_of(const std::string& file) {
  using namespace lockd::proptests;
  if (file != "-") return load_transcript(file, TranscriptFormat::scenario);
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  return read_transcript(text, "(stdin)", TranscriptFormat::scenario);
}

std::string daemon_binary() {
  const char* const named = std::getenv("LOCKD_BINARY");  // NOLINT(concurrency-mt-unsafe): no other thread
  return named == nullptr ? LOCKD_BINARY : named;
}

std::optional<std::string> failure(const std::string& target_name, const std::string& file) {
  using namespace lockd::proptests;
  try {
    const auto steps = steps_of(file);
    if (target_name == "compare") return compare(steps, file);
    const auto target = make_target(target_name, steps, daemon_binary());
    return play(steps, file, *target);
  } catch (const std::exception& error) {
    return file + ": " + error.what();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 3) {
    std::fputs("usage: scenario TARGET FILE..., TARGET one of compare", stderr);
    for (const std::string& name : lockd::proptests::target_names()) std::fprintf(stderr, " %s", name.c_str());
    std::fputs("\n", stderr);
    return 2;
  }
  int failures = 0;
  for (const std::string file : arguments.subspan(2)) {
    const auto what = failure(arguments[1], file);
    if (what) std::printf("%s\n", what->c_str());
    failures += what ? 1 : 0;
  }
  std::printf("%zu played on %s, %d failed\n", arguments.size() - 2, arguments[1], failures);
  return failures == 0 ? 0 : 1;
}
