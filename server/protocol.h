// The wire: bytes to requests and answers to bytes. Pure: no socket, no session, no lock.
#ifndef LOCKD_SERVER_PROTOCOL_H_
#define LOCKD_SERVER_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/types.h"
#include "server/verbs.h"

namespace lockd::server {

/// One line that is not blank. `text` as in Request, but it points into the parser's input or into the parser, and is
/// gone with the next call of next() or forget_folded().
struct ParsedLine {
  LineKind kind = LineKind::command;
  Verb verb = Verb::get;
  std::string_view text = {};
  std::uint32_t limit = 0;         // C1, C2
  std::uint32_t milliseconds = 0;  // W1, C2
};

/// Cuts a byte stream into requests (F1 to F4, F6, F8, F9, F11). What it remembers between calls is bounded: how far
/// the input was searched, and whether the line is being discarded.
class Parser {
 public:
  struct Result {
    std::size_t consumed = 0;        // bytes of the input that are done with
    std::optional<ParsedLine> line;  // none: all that is left is the beginning of a line, and more bytes are needed
  };

  /// line_bytes_max: F6's limit, 1 or more.
  explicit Parser(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  /// Takes the next request from `input`, which must begin with what the call before did not consume. Never leaves more
  /// than line_bytes_max + 1 bytes unconsumed where it found no line: of a longer one it consumes all there is (F6).
  Result next(std::string_view input);

  /// The same for an input of which `consumed` bytes are done with already, and then more. False where there is none;
  /// `line` means nothing then.
  bool next(std::string_view input, std::size_t& consumed, ParsedLine& line);

  /// To look ahead: the same for whole lines alone, after a next() that found one. Where it finds none it changes
  /// nothing that matters; and the parser remembers nothing of whole lines, so that next() may go on behind any of
  /// those found. The `text`s that were found before stay, unless has_folded().
  bool next_whole(std::string_view input, std::size_t& consumed, ParsedLine& line);

  /// The last line's `text` lies in the parser. The next call is next() or forget_folded() then.
  bool has_folded() const { return !folded_.empty(); }

  /// No line's `text` is needed any more: the parser keeps no memory for it.
  void forget_folded() {
    if (has_folded()) std::string().swap(folded_);
  }

  std::size_t line_bytes_max() const { return line_bytes_max_; }

 private:
  bool next_plain(std::string_view input, std::size_t& consumed, ParsedLine& line);
  bool next_of_any(std::string_view input, std::size_t& consumed, ParsedLine& line);
  bool parse(std::string_view bytes, ParsedLine& line);
  void parse_words(std::string_view words, ParsedLine& line);
  void parse_arguments(const VerbRow& row, std::string_view rest, ParsedLine& line);
  std::string_view fold(std::string_view words);
  std::size_t discard_if_too_long(std::string_view rest);

  std::size_t line_bytes_max_;
  std::size_t searched_ = 0;  // so many bytes of the unconsumed input have no LF
  bool discarding_ = false;   // the line that the input is in has been too long already
  std::string folded_;        // holds a text that folding changed, until it is forgotten
};

/// Appends the line of an answer, LF included. `text`: the folded key (F7); of unknown_command the verb's bytes (F8);
/// of bad_arguments the usage (F9); of version the version; otherwise empty.
void print(std::string& out, const Answer& answer, std::string_view text);

/// S4: all that a connection too many is told.
inline constexpr std::string_view too_many_connections_line = "0 Too Many Connections\n";

/// Appends decimal digits.
void print_number(std::string& out, std::uint64_t number);

/// Appends a JSON string with its quotes, bytes that are no UTF-8 as `\u00hh` (L2).
void print_json_string(std::string& out, std::string_view bytes);

/// E2: appends a holder's name or address with a backslash and every blank as `\xHH`.
void print_listed_holder(std::string& out, std::string_view holder);

/// Appends the lines of `help` (E4).
void print_help(std::string& out);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PROTOCOL_H_
