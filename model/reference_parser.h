// The naive parser: a whole byte stream in, all its requests out. The oracle for the production parser, with which it
// shares nothing but the vocabulary.
#ifndef LOCKD_MODEL_REFERENCE_PARSER_H_
#define LOCKD_MODEL_REFERENCE_PARSER_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "model/types.h"

namespace lockd::model {

/// The requests whose LF has come, in order (F1, F2, F3, F4, F6, F8, F9, F11); what follows the last LF is none. A line
/// with more than `line_bytes_max` bytes before its terminator is too long, whatever it holds. What a request does to
/// those behind it (`quit`, F11) is not the parser's business: it goes on. `text` is empty but for commands that take a
/// key, a name or a word (folded), and for unknown verbs (the whole verb).
std::vector<Request> parse_stream(std::string_view stream, std::size_t line_bytes_max);

/// The request of one line, which ends in its LF; nothing if it is blank (F4).
std::optional<Request> parse_line(std::string_view line, std::size_t line_bytes_max);

}  // namespace lockd::model

#endif  // LOCKD_MODEL_REFERENCE_PARSER_H_
