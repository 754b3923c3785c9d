#include "proptests/scenario_compare.h"

#include <cstddef>
#include <map>

#include "proptests/session_flags.h"
#include "proptests/session_lockstep.h"

namespace lockd::proptests {
namespace {

void play(SessionLockstep& lockstep, const TranscriptStep& step, std::size_t slot) {
  if (step.kind == StepKind::connect) return lockstep.connect(slot);
  if (!lockstep.is_connected(slot)) return;  // its session has ended by itself
  switch (step.kind) {
    case StepKind::send:
      return lockstep.send(slot, step.bytes);
    case StepKind::finish:
      return lockstep.finish(slot);
    case StepKind::close:
    case StepKind::reset:
      return lockstep.reset(slot);
    case StepKind::time_out:
      return lockstep.time_out(slot);
    default:
      return;  // what it expects
  }
}

}  // namespace

std::optional<std::string> compare(const std::vector<TranscriptStep>& steps, const std::string& file) {
  const bool has_flags = !steps.empty() && steps.front().kind == StepKind::flags;
  SessionLockstep lockstep(config_of(has_flags ? steps.front().lines : std::vector<std::string>{}));
  std::map<std::string, std::size_t> slots;
  std::string where = file;
  try {
    for (const TranscriptStep& step : steps) {
      where = file + ":" + std::to_string(step.line);
      play(lockstep, step, slots.try_emplace(step.client, slots.size()).first->second);
      lockstep.compare_fates();
    }
    lockstep.compare_counters();
    lockstep.end_all();
  } catch (const Difference& difference) {
    return where + ": " + difference.what();
  }
  return std::nullopt;
}

}  // namespace lockd::proptests
