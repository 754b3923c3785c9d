// Conversations recorded from lockd's ancestors, as transcripts that a server of today can be held to.
#ifndef LOCKD_PROPTESTS_RECORDING_H_
#define LOCKD_PROPTESTS_RECORDING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "proptests/transcript.h"

namespace lockd::proptests {

struct Recording {
  std::string file;  // its name, without the folders
  std::vector<TranscriptStep> steps;
  std::size_t deviations = 0;  // replies replaced
};

/// All `*.go.txt` and `*.node.txt` of a folder, by name. The carriage return that may end a reply is left out, and the
/// replies of which the Node port's own documentation says that they are wrong are replaced by those of the protocol:
/// each by place and bytes, so that nothing else is let pass. Throws TranscriptError where one is not what it is listed
/// as.
std::vector<Recording> load_recordings(const std::string& folder);

/// How many replies are listed as wrong.
std::size_t known_deviations();

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_RECORDING_H_
