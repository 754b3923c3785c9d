// Lines that the production parser reads in one go, and all that look much like them, against the naive parser: those
// must be read as if there were no such short cut.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "model/reference_parser.h"
#include "model/types.h"
#include "server/low_bytes.h"
#include "server/protocol.h"

namespace lockd::proptests {
namespace {

constexpr std::size_t line_bytes_max = 8192;
constexpr std::size_t beyond_sight = server::low_bytes_seen_max + 2;

// What may follow a line in a read: nothing, so that its end is out of reach for whole words; blank lines; a request.
std::vector<std::string> tails() {
  return {"", "\n", std::string(beyond_sight, '\n'), "r key-of-some-other-request\n"};
}

Request request_of(const server::ParsedLine& line) {
  return {line.kind, line.verb, std::string(line.text), line.limit, line.milliseconds};
}

// As a session reads: the first request by next(), those behind it by next_whole().
std::vector<Request> parse(server::Parser& parser, std::string_view input, std::size_t& consumed) {
  std::vector<Request> requests;
  server::ParsedLine line;
  bool found = parser.next(input, consumed, line);
  while (found) {
    requests.push_back(request_of(line));
    found = parser.has_folded() ? parser.next(input, consumed, line) : parser.next_whole(input, consumed, line);
  }
  return requests;
}

void expect_as_reference(const std::string& input, std::size_t limit = line_bytes_max) {
  server::Parser parser(limit);
  std::size_t consumed = 0;
  ASSERT_EQ(parse(parser, input, consumed), model::parse_stream(input, limit))
      << testing::PrintToString(input) << ", lines of " << limit;
}

std::vector<std::string> words() {
  std::vector<std::string> names = {"", "x", "G", "GET", "Host:", "sevenby", "eightbyt", std::string(40, 'v')};
  for (const server::VerbRow& row : server::verb_table) names.emplace_back(row.name);
  return names;
}

TEST(ParserPlainLines, F2_F3_F9_each_verb_with_keys_of_each_length) {
  for (const std::string& verb : words()) {
    for (std::size_t size = 0; size <= beyond_sight; ++size) {
      for (const std::string& tail : tails()) {
        expect_as_reference(verb + " " + std::string(size, 'k') + "\n" + tail);
        expect_as_reference(verb + std::string(size, 'k') + "\n" + tail);
        expect_as_reference(verb + " 12 " + std::string(size, 'k') + "\n" + tail);
      }
    }
  }
}

TEST(ParserPlainLines, F1_F2_F3_F4_each_byte_at_each_place) {
  for (const std::size_t key_size : {1U, 10U, 21U, 26U, 27U, 28U, 29U, 30U, 31U}) {
    const std::string line = "sg " + std::string(key_size, 'k') + "\n";
    for (const std::string& tail : tails()) {
      for (std::size_t place = 0; place < line.size(); ++place) {
        for (int value = 0; value < 256; ++value) {
          std::string input = line + tail;
          input[place] = static_cast<char>(value);
          expect_as_reference(input);
        }
      }
    }
  }
}

TEST(ParserPlainLines, F6_lines_of_each_length_under_limits_of_each_length) {
  for (std::size_t limit = 1; limit <= beyond_sight; ++limit) {
    for (std::size_t size = 0; size <= beyond_sight; ++size) {
      for (const std::string& tail : tails()) expect_as_reference("g " + std::string(size, 'k') + "\n" + tail, limit);
    }
  }
}

// The end of a line that is too long looks like a line.
TEST(ParserPlainLines, F1_F6_lines_in_two_reads) {
  const std::string stream = "g " + std::string(40, 'k') + " g tail-of-a-long-line\ng a-key-of-16-bytes\nr a\n";
  for (const std::size_t limit : {std::size_t{30}, line_bytes_max}) {
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      server::Parser parser(limit);
      std::size_t consumed = 0;
      std::vector<Request> requests = parse(parser, stream.substr(0, cut), consumed);
      const std::string rest = stream.substr(consumed);
      consumed = 0;
      for (Request& request : parse(parser, rest, consumed)) requests.push_back(std::move(request));
      ASSERT_EQ(requests, model::parse_stream(stream, limit)) << "cut at " << cut << ", lines of " << limit;
    }
  }
}

}  // namespace
}  // namespace lockd::proptests
