// Lines of reply to values. Pure.
#ifndef LOCKD_CLIENT_JUDGE_H_
#define LOCKD_CLIENT_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lockd/client.h"

namespace lockd {

/// The verbs that share their replies.
enum class Family : std::uint8_t { get, release, inspect, waiters, token };

/// The reply of a verb about a key: its number (1 for yes, or how many, or which token), 0 for a no that is a value
/// (nobody holds it, nobody waits), or the error that it tells of. protocol_error where it tells nothing of the kind.
Result<std::uint64_t> judge(Family family, Mode mode, std::string_view key, std::string_view line);

/// A line that is refused whatever the request was, as an error (F6, F8, F9, L4, S4); else protocol_error.
Error refusal(std::string_view line);

/// `N Locks Released` (E1).
Result<std::uint64_t> judge_released(std::string_view line);

/// A line of `list` (E2), of `d` and `sd` (L1), of `who` (R3); nothing if it is none.
std::optional<ListedLock> parse_listed(std::string_view line);
std::optional<KeyHolder> parse_holder(std::string_view line, std::string_view key);
std::optional<Identity> parse_identity(std::string_view line);
/// A line `NAME: NUMBER` (L3, E3).
std::optional<std::pair<std::string, std::uint64_t>> parse_counter(std::string_view line);

}  // namespace lockd

#endif  // LOCKD_CLIENT_JUDGE_H_
