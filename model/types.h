// The vocabulary that model and engine share: names of things, and no logic. All that each of them knows about a lock
// is written in the other headers of its own folder, twice and on purpose.
#ifndef LOCKD_MODEL_TYPES_H_
#define LOCKD_MODEL_TYPES_H_

#include <cstdint>
#include <string>

namespace lockd {

/// A session's identity (S1): given out in rising order from 1, never used again while the server runs. 0 names nobody.
enum class SessionId : std::uint64_t { nobody = 0 };

/// A key is bytes (F3): any length, the empty key included, nothing decoded.
using Key = std::string;

/// The two spaces of locks, which never affect one another (H).
enum class LockKind : std::uint8_t { exclusive, shared };

/// The verbs, in the order in which `help` lists them: first those about one exclusive lock, then about one shared
/// lock. How each is spelled, and what it takes, is the parsers' business.
enum class Verb : std::uint8_t {
  get,                  // g K              X1
  get_wait,             // gw MS K          W1
  release,              // r K              X2
  inspect,              // i K              X3
  inspect_line,         // iw K             W8
  token,                // t K              T2
  get_shared,           // sg K             H1
  get_limited,          // sgl LIMIT K      C1
  get_limited_wait,     // sgw LIMIT MS K   C2
  release_shared,       // sr K             H2
  inspect_shared,       // si K             H3
  inspect_shared_line,  // siw K            W8
  token_shared,         // st K             T2
  release_all,          // ra               E1
  cancel,               // cancel           W9
  list_locks,           // d [K]            L1
  list_shared,          // sd [K]           L1
  dump,                 // dump ...         L2
  list,                 // list [PREFIX]    E2
  counters,             // q                L3
  statistics,           // stats            E3
  me,                   // me               R1
  name_me,              // iam [NAME]       R2
  who,                  // who [NAME]       R3
  ping,                 // ping             E4
  version,              // version          E4
  help,                 // help             E4
  quit,                 // quit             E4
};
inline constexpr int verb_count = static_cast<int>(Verb::quit) + 1;

/// What a line that is not blank turned out to be.
enum class LineKind : std::uint8_t {
  command,        // a verb and its argument
  unknown_verb,   // F8
  bad_arguments,  // F9
  too_long,       // F6
  browser,        // F11
};

/// One request (F1), as the parsers hand it on. A blank line is none (F4).
struct Request {
  LineKind kind = LineKind::command;
  Verb verb = Verb::get;    // of a command, and of bad arguments; otherwise Verb::get and without meaning
  std::string text;         // of a command its key, name or word, folded (F3); of an unknown verb that verb's bytes
  std::uint32_t limit = 0;  // C1, C2: 1 to 2147483647
  std::uint32_t milliseconds = 0;  // W1, C2: 0 to 2147483647

  friend bool operator==(const Request&, const Request&) = default;
};

/// Each cause that a request can end with in a single line of reply: one value, one text.
enum class Outcome : std::uint8_t {
  lock_get_success,        // X1, W1
  lock_get_failure,        // X1
  lock_get_timeout,        // W1
  lock_get_deadlock,       // W6
  lock_get_canceled,       // W9
  lock_release_success,    // X2
  lock_release_failure,    // X2
  lock_is_locked,          // X3
  lock_not_locked,         // X3
  lock_waiters,            // W8, with their number
  lock_token,              // T2, with the token
  lock_not_held,           // T2
  shared_get_success,      // H1, C1, C2, with the number of holders
  shared_get_failure,      // C1
  shared_get_timeout,      // C2
  shared_get_canceled,     // W9
  shared_release_success,  // H2
  shared_release_failure,  // H2
  shared_is_locked,        // H3, with the number of holders
  shared_not_locked,       // H3
  shared_waiters,          // W8, with their number
  shared_token,            // T2, with the token
  shared_not_held,         // T2
  too_many_locks,          // S5
  too_many_waiters,        // W7
  out_of_tokens,           // T1
  locks_released,          // E1, with their number
  canceled,                // W9
  nothing_to_cancel,       // W9
  too_much_input,          // W2, with the limit
  unknown_command,         // F8
  bad_arguments,           // F9
  line_too_long,           // F6, with the limit
  disabled,                // L4
  named,                   // R2
  pong,                    // E4
  version,                 // E4
};

/// An outcome together with its number, where it has one, else 0.
struct Answer {
  Outcome outcome = Outcome::lock_get_failure;
  std::uint64_t number = 0;

  friend bool operator==(const Answer&, const Answer&) = default;
};

}  // namespace lockd

#endif  // LOCKD_MODEL_TYPES_H_
