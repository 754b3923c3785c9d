// An input of session_fuzzer, played.
#ifndef LOCKD_FUZZ_SESSION_PLAY_H_
#define LOCKD_FUZZ_SESSION_PLAY_H_

#include <ostream>
#include <string_view>

namespace lockd::fuzz {

/// Does what the input says (session_steps.h), which is not empty, to sessions and engine beside the reference server.
/// Throws proptests::Difference. scenario: unless it is null, each step is written there as a line of a scenario file,
/// ahead of being done; what a scenario cannot say (that a client stops reading) begins with `#!`.
void play(std::string_view input, std::ostream* scenario);

}  // namespace lockd::fuzz

#endif  // LOCKD_FUZZ_SESSION_PLAY_H_
