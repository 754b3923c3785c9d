// A history: what clients asked of a server, when, and what it answered; and its text, one operation a line.
#ifndef LOCKD_HISTORIES_HISTORY_H_
#define LOCKD_HISTORIES_HISTORY_H_

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/types.h"

namespace lockd::histories {

/// Nanoseconds of one clock, which all clients share and which never goes back.
using Moment = std::int64_t;
inline constexpr Moment never = std::numeric_limits<Moment>::max();
inline constexpr Moment nanoseconds_of_millisecond = 1'000'000;

/// What a session does: a request about locks, or its end. `has` and `has_shared` are neither: they say that the
/// session holds the lock when the history begins.
enum class Act : std::uint8_t {
  get,                  // g K
  get_wait,             // gw MS K
  release,              // r K
  inspect,              // i K
  inspect_line,         // iw K
  token,                // t K
  get_shared,           // sg K
  get_limited,          // sgl LIMIT K
  get_limited_wait,     // sgw LIMIT MS K
  release_shared,       // sr K
  inspect_shared,       // si K
  inspect_shared_line,  // siw K
  token_shared,         // st K
  release_all,          // ra
  cancel,               // cancel
  has,                  // has K
  has_shared,           // shas K
  quit,                 // quit     the request: an end like the others
  fin,                  // fin      half a close: replies are read up to the end of the stream
  rst,                  // rst      a reset
  close,                // close    of the whole socket, replies unread
  kill,                 // kill     the client's process is killed
};
inline constexpr int act_count = static_cast<int>(Act::kill) + 1;

/// One operation. Those of a session are its own in the order of their places in the history; so are their answers.
struct Operation {
  std::uint32_t session = 0;
  Act act = Act::get;
  Outcome outcome = Outcome::lock_get_failure;  // if answered, of a request
  std::uint32_t key = 0;                        // an index of History::keys
  std::uint32_t limit = 0;
  std::uint32_t milliseconds = 0;
  std::uint64_t number = 0;  // in the reply
  Moment invoked = 0;        // before its first byte was sent; of an end, before it was begun
  Moment answered = never;   // after its reply was read; of an end, when it was seen to be over (its locks being free)

  bool is_answered() const { return answered != never; }
};

/// The operations of many sessions, in any order but that of each session's own.
struct History {
  std::vector<std::string> keys;
  std::vector<Operation> operations;
};

bool is_end(Act act);
/// g, gw, sg, sgl, sgw.
bool is_get(Act act);
/// gw and sgw, of at least 1 ms: may stand in line.
bool may_wait(const Operation& operation);
bool has_key(Act act);
/// Of an act with a key.
LockKind kind_of(Act act);

/// As the protocol writes them, without the line feed. A reply needs to be answered.
std::string request_text(const std::vector<std::string>& keys, const Operation& operation);
std::string reply_text(const std::vector<std::string>& keys, const Operation& operation);

/// What a line of reply (without its line feed) says; nothing where it is none to this act and key.
std::optional<Answer> read_reply(std::string_view line, Act act, std::string_view key);

/// A line `SESSION INVOKED ANSWERED REQUEST = REPLY`; a line without ` = REPLY` where there is none, as of an end;
/// ANSWERED is `?` where nothing came. A key is a word: one byte or more, no blank. Blank lines and those that begin
/// with `#` say nothing. Throws std::runtime_error, naming the line, where the text is no history: among others where
/// a session goes on after its end, is answered out of order, or before it asks.
History read_history(std::istream& in);
void write_history(std::ostream& out, const History& history);
/// One line of that, without the line feed.
std::string line_text(const std::vector<std::string>& keys, const Operation& operation);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_HISTORY_H_
