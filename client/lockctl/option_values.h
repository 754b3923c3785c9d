// The values of options, from text.
#ifndef LOCKD_CLIENT_LOCKCTL_OPTION_VALUES_H_
#define LOCKD_CLIENT_LOCKCTL_OPTION_VALUES_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockd::lockctl {

/// Decimal digits alone, from `min` to `max`.
std::optional<std::uint64_t> parse_whole_number(std::string_view text, std::uint64_t min, std::uint64_t max);

/// Seconds with at most one decimal point, "1.5" or ".5", whatever the locale; no sign, no exponent. Rounded up to
/// whole milliseconds, so that no wait is shorter than asked for. Nothing if it is more than `max`, or not that.
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text, std::chrono::milliseconds max);

/// What a server's URI should have been, as the library has it; empty if it is one. `uri` holds no NUL.
std::string expected_of_server(std::string_view uri);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_OPTION_VALUES_H_
