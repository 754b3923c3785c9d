// What an input of session_fuzzer means, and how one is changed into another that still means something.
#ifndef LOCKD_FUZZ_SESSION_STEPS_H_
#define LOCKD_FUZZ_SESSION_STEPS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockd::fuzz {

/// An input is a byte of settings, then steps: bytes that the connection in use sends, and actions. An action is 0xFF
/// and a byte whose lowest three bits say which, the next two on which connection. 0xFF 0xFF is the byte 0xFF, and so
/// is a last 0xFF.
enum class Action : std::uint8_t { use, cut, finish, reset, reset_in_slices, stop_reading, read_again, time_out };
inline constexpr std::size_t action_count = 8;
inline constexpr std::size_t slot_count = 4;

struct Step {
  std::optional<Action> action = std::nullopt;  // none: bytes
  std::size_t slot = 0;                         // of an action
  std::string_view raw = {};                    // as it stands in the input
};

/// Takes the first step off `rest`, which is not empty: an action, or bytes up to the first LF or the next action.
Step take_step(std::string_view& rest);

/// The bytes of a step that is none of action, each 0xFF once.
void append_bytes(const Step& step, std::string& bytes);

/// The other way: as they are written in an input.
std::string written(Action action, std::size_t slot);
std::string written(std::string_view bytes);

/// A few steps of `input` are removed, repeated or exchanged, or new ones put in: a request of any verb for one of few
/// keys, or an action. At most size_max bytes (1 or more) come out; the same for the same seed.
std::string mutated(std::string_view input, std::size_t size_max, std::uint32_t seed);

}  // namespace lockd::fuzz

#endif  // LOCKD_FUZZ_SESSION_STEPS_H_
