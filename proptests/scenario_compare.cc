#include "proptests/scenario_compare.h"

#include <cstddef>
#include <map>

#include "proptests/last_words.h"
#include "proptests/session_flags.h"
#include "proptests/session_lockstep.h"

namespace lockd::proptests {
namespace {

/// False where no client can do that now.
bool play(SessionLockstep& lockstep, const TranscriptStep& step, std::size_t slot) {
  const bool is_connected = lockstep.is_connected(slot);  // not if its session has ended by itself
  switch (step.kind) {
    case StepKind::beyond_clients:
      return false;
    case StepKind::connect:
      lockstep.connect(slot);
      return true;
    case StepKind::send:
      if (is_connected) lockstep.send(slot, step.bytes);
      return is_connected;
    case StepKind::finish:
      if (is_connected) lockstep.finish(slot);
      return true;
    case StepKind::close:
    case StepKind::reset:
      if (is_connected) lockstep.reset(slot);
      return true;
    case StepKind::time_out:
      if (!is_connected || lockstep.next(slot) != server::Next::wait) return false;
      lockstep.time_out(slot);
      return true;
    default:
      return true;  // what it expects
  }
}

/// Throws Difference, the line where it shows being in `where`. Returns the first line that no client can play, or 0.
int play_all(SessionLockstep& lockstep, const std::vector<TranscriptStep>& steps, const std::string& file,
             std::string& where) {
  int left_out = 0;
  std::map<std::string, std::size_t> slots;
  for (const TranscriptStep& step : steps) {
    where = file + ":" + std::to_string(step.line);
    const bool is_played = play(lockstep, step, slots.try_emplace(step.client, slots.size()).first->second);
    if (!is_played && left_out == 0) left_out = step.line;
    lockstep.compare_fates();
  }
  lockstep.compare_counters();
  lockstep.end_all();
  return left_out;
}

}  // namespace

std::optional<std::string> compare(const std::vector<TranscriptStep>& steps, const std::string& file) {
  if (!is_playable(steps)) return file + ": there is nothing in it to play";
  const bool has_flags = steps.front().kind == StepKind::flags;
  SessionLockstep lockstep(config_of(has_flags ? steps.front().lines : std::vector<std::string>{}));
  std::string where = file;
  const LastWords words([&] { return say_crash(where + ":\n"); });
  try {
    const int left_out = play_all(lockstep, steps, file, where);
    if (left_out == 0) return std::nullopt;
    return file + ":" + std::to_string(left_out) +
           ": clients cannot play this sequence, of which this line was left out; the rest shows no difference";
  } catch (const Difference& difference) {
    return where + ": " + difference.what();
  }
}

}  // namespace lockd::proptests
