// The parser against the reference parser, under any cut of the stream into chunks: the same requests must come out,
// and what the parser leaves for later must be bounded.
//
// Input: a byte for the line limit, a byte that says how the stream is cut, the stream.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check.h"
#include "model/reference_parser.h"
#include "server/protocol.h"

namespace {

using lockd::LineKind;
using lockd::Request;
using lockd::Verb;

/// Small limits, so that short inputs reach them, and the default.
std::size_t line_limit(std::uint8_t choice) { return choice % 32 == 0 ? 8192 : choice % 32; }

/// The sizes of chunks: all one byte, all in one, or by a small generator that `choice` seeds.
class Cuts {
 public:
  explicit Cuts(std::uint8_t choice) : choice_(choice), state_(choice) {}

  std::size_t next() {
    if (choice_ == 0) return SIZE_MAX;
    if (choice_ == 1) return 1;
    state_ = state_ * 1103515245 + 12345;
    return 1 + (state_ >> 16) % (choice_ % 16 + 2);
  }

 private:
  std::uint8_t choice_;
  std::uint32_t state_;
};

/// Only what has a meaning: the verb of a command and of bad arguments, the text of commands and of unknown verbs, the
/// numbers of commands.
Request request_of(const lockd::server::ParsedLine& line) {
  const bool has_verb = line.kind == LineKind::command || line.kind == LineKind::bad_arguments;
  const bool has_text = line.kind == LineKind::command || line.kind == LineKind::unknown_verb;
  const bool has_numbers = line.kind == LineKind::command;
  return {line.kind, has_verb ? line.verb : Verb::get, std::string(has_text ? line.text : std::string_view()),
          has_numbers ? line.limit : 0, has_numbers ? line.milliseconds : 0};
}

std::vector<Request> parse_in_chunks(std::string_view stream, std::size_t line_bytes_max, Cuts cuts) {
  lockd::server::Parser parser(line_bytes_max);
  std::vector<Request> requests;
  std::string unconsumed;
  while (!stream.empty()) {
    const std::string_view chunk = stream.substr(0, cuts.next());
    stream.remove_prefix(chunk.size());
    unconsumed += chunk;
    while (true) {
      const auto [consumed, line] = parser.next(unconsumed);
      LOCKD_CHECK(consumed <= unconsumed.size(), "the parser consumes what it was given");
      if (line) requests.push_back(request_of(*line));
      unconsumed.erase(0, consumed);
      if (!line) break;
    }
    LOCKD_CHECK(unconsumed.size() <= line_bytes_max + 1, "what is left for later is bounded (F6)");
  }
  return requests;
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t line_bytes_max = line_limit(data[0]);
  LOCKD_CHECK(
      parse_in_chunks(stream, line_bytes_max, Cuts(data[1])) == lockd::model::parse_stream(stream, line_bytes_max),
      "parser and reference parser agree");
  return 0;
}
