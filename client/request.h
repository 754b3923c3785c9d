// What may be sent: keys, names and numbers as the server will read them. Pure.
#ifndef LOCKD_CLIENT_REQUEST_H_
#define LOCKD_CLIENT_REQUEST_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lockd/result.h"

namespace lockd {

/// bad_argument where the server would read these bytes otherwise than they are (F1, F2, F3): a line end, a blank at
/// either end, a blank inside that is no single space. `what` says what it is: "the key".
std::optional<Error> text_error(std::string_view what, std::string_view text);

/// bad_argument unless 0 to 2147483647 (W1).
std::optional<Error> wait_error(std::chrono::milliseconds wait);

/// bad_argument unless 1 to 2147483647 (C1).
std::optional<Error> limit_error(std::uint32_t limit);

/// A key for people to read: in quotes, what a terminal does not show, `"` and `\` as `\xHH`, cut to 64 bytes.
std::string shown(std::string_view key);

}  // namespace lockd

#endif  // LOCKD_CLIENT_REQUEST_H_
