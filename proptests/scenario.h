// Plays transcripts on targets.
#ifndef LOCKD_PROPTESTS_SCENARIO_H_
#define LOCKD_PROPTESTS_SCENARIO_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proptests/scenario_target.h"
#include "proptests/transcript.h"

namespace lockd::proptests {

/// The names of all targets: model, session (fed all that a client sends at once), bytewise (fed byte by byte), and the
/// daemon as tcp1, tcp4, unix4 and ws4: the transport and how many threads it has.
const std::vector<std::string>& target_names();

/// A fresh target for one transcript, set by its `flags`. `daemon`: the program, for the last three. Throws
/// std::invalid_argument for other names.
std::unique_ptr<Target> make_target(std::string_view name, const std::vector<TranscriptStep>& steps,
                                    const std::string& daemon);

/// Plays all the steps, then shuts the target down. Nothing, or "FILE:LINE: what" for the first thing that went wrong;
/// that there is no step is wrong too.
///
/// One client at a time: before another one has its turn, and before a client sends on after a reply, all that was sent
/// must be answered as the transcript says, and nothing more. So what a step sees of those before it is certain, and a
/// reply that nobody expected is found where it comes. A client that waits has to be said to (`waits C`) before that;
/// what is sent to it when its wait is over is looked at where the transcript says that it comes. `{version}` in a
/// reply stands for the version (E4).
std::optional<std::string> play(const std::vector<TranscriptStep>& steps, const std::string& file, Target& target);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_H_
