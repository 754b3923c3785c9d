// The production parser against the naive one: all short byte strings over a small alphabet, cut into chunks in all
// ways.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "model/reference_parser.h"
#include "model/reference_printer.h"
#include "model/types.h"
#include "server/protocol.h"

namespace lockd::proptests {
namespace {

Request request_of(const server::ParsedLine& line) {
  return {line.kind, line.verb, std::string(line.text), line.limit, line.milliseconds};
}

// A parser as a session uses it: chunks are put behind what is left, and every request that is complete is taken out.
class ChunkReader {
 public:
  explicit ChunkReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max), parser_(line_bytes_max) {}

  /// False if the parser keeps more than it may.
  bool read(std::string_view chunk) {
    pending_ += chunk;
    std::size_t consumed = 0;
    while (true) {
      const auto result = parser_.next(std::string_view(pending_).substr(consumed));
      consumed += result.consumed;
      if (!result.line) break;
      requests_.push_back(request_of(*result.line));
    }
    pending_.erase(0, consumed);
    return pending_.size() <= line_bytes_max_ + 1;
  }

  const std::vector<Request>& requests() const { return requests_; }

 private:
  std::size_t line_bytes_max_;
  server::Parser parser_;
  std::string pending_;
  std::vector<Request> requests_;
};

// Forgets everything between chunks but the bytes that are left: a faulty reader, which must be found out.
class ForgetfulReader {
 public:
  explicit ForgetfulReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  bool read(std::string_view chunk) {
    pending_ += chunk;
    server::Parser parser(line_bytes_max_);
    while (const auto line = take(parser)) requests_.push_back(request_of(*line));
    return true;
  }

  const std::vector<Request>& requests() const { return requests_; }

 private:
  std::optional<server::ParsedLine> take(server::Parser& parser) {
    taken_ = pending_;  // the line that is returned points into it
    const auto result = parser.next(taken_);
    pending_.erase(0, result.consumed);
    return result.line;
  }

  std::size_t line_bytes_max_;
  std::string pending_;
  std::string taken_;
  std::vector<Request> requests_;
};

struct Search {
  std::string_view alphabet;
  std::size_t length_max;
  std::size_t line_bytes_max;            // of the production parser
  std::size_t reference_line_bytes_max;  // of the reference
};

struct Findings {
  std::uint64_t strings = 0;
  std::uint64_t cuts = 0;  // of strings into chunks
  std::uint64_t requests = 0;
  std::optional<std::string> difference;
};

std::string escaped(std::string_view text) {
  std::string shown;
  for (const char byte : text) {
    if (byte == '\n') {
      shown += "\\n";
    } else if (byte == '\r') {
      shown += "\\r";
    } else if (byte == '\0') {
      shown += "\\0";
    } else {
      shown += byte;
    }
  }
  return shown;
}

// What the reference makes of each beginning of the text, the empty one first.
std::vector<std::vector<Request>> reference_of_beginnings(std::string_view text, std::size_t line_bytes_max) {
  std::vector<std::vector<Request>> requests;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    requests.push_back(model::parse_stream(text.substr(0, size), line_bytes_max));
  }
  return requests;
}

// Bit i of `cut` says that a chunk ends behind byte i. After each chunk the requests must be those of the reference for
// all that was sent so far: none late, none early.
template <class Reader>
bool agree(std::string_view text, std::uint64_t cut, const std::vector<std::vector<Request>>& expected,
           const Search& search) {
  Reader reader(search.line_bytes_max);
  std::size_t begin = 0;
  for (std::size_t end = 1; end <= text.size(); ++end) {
    if (end < text.size() && (cut >> (end - 1) & 1) == 0) continue;
    if (!reader.read(text.substr(begin, end - begin))) return false;
    if (reader.requests() != expected[end]) return false;
    begin = end;
  }
  return true;
}

template <class Reader>
void search_string(std::string_view text, const Search& search, Findings& findings) {
  const auto expected = reference_of_beginnings(text, search.reference_line_bytes_max);
  ++findings.strings;
  findings.requests += expected.back().size();
  const std::uint64_t cut_count = text.empty() ? 1 : std::uint64_t{1} << (text.size() - 1);
  for (std::uint64_t cut = 0; cut < cut_count; ++cut) {
    ++findings.cuts;
    if (agree<Reader>(text, cut, expected, search)) continue;
    findings.difference = '"' + escaped(text) + "\" cut at the bits of " + std::to_string(cut);
    return;
  }
}

// All strings that continue `text`, itself included, until one makes a difference.
template <class Reader>
void search_from(std::string& text, const Search& search, Findings& findings) {
  search_string<Reader>(text, search, findings);
  if (text.size() == search.length_max) return;
  for (const char byte : search.alphabet) {
    if (findings.difference) return;
    text.push_back(byte);
    search_from<Reader>(text, search, findings);
    text.pop_back();
  }
}

template <class Reader>
Findings search_all(const Search& search) {
  Findings findings;
  std::string text;
  search_from<Reader>(text, search, findings);
  std::printf("%lu strings of up to %zu bytes, %lu ways to cut them, %lu requests, differences: %d\n", findings.strings,
              search.length_max, findings.cuts, findings.requests, findings.difference ? 1 : 0);
  return findings;
}

constexpr std::string_view framing_alphabet{"gr \r\n\0x", 7};
constexpr std::string_view limit_alphabet = "gx \r\n";
constexpr std::string_view wait_alphabet = "gw09 \n";   // gw 9, gw 09 and the like
constexpr std::string_view share_alphabet = "sgl1 \n";  // sgl 1

TEST(ParserExhaustive, F1_F2_F3_F4_F5_F8_all_strings_of_six_bytes_in_all_chunks) {
  const auto findings = search_all<ChunkReader>({framing_alphabet, 6, 8192, 8192});
  EXPECT_EQ(findings.difference, std::nullopt);
  EXPECT_EQ(findings.strings, 137257U);  // 1 + 7 + 7^2 + ... + 7^6
  EXPECT_EQ(findings.cuts, 1U + 7 + 2 * 49 + 4 * 343 + 8 * 2401 + 16 * 16807 + 32 * 117649);
}

TEST(ParserExhaustive, F1_F4_F6_all_strings_of_seven_bytes_in_all_chunks_with_lines_of_three) {
  const auto findings = search_all<ChunkReader>({limit_alphabet, 7, 3, 3});
  EXPECT_EQ(findings.difference, std::nullopt);
  EXPECT_EQ(findings.strings, 97656U);  // 1 + 5 + 5^2 + ... + 5^7
}

TEST(ParserExhaustive, F6_all_strings_of_six_bytes_in_all_chunks_with_lines_of_one) {
  EXPECT_EQ(search_all<ChunkReader>({limit_alphabet, 6, 1, 1}).difference, std::nullopt);
}

TEST(ParserExhaustive, W1_F9_all_strings_of_six_bytes_in_all_chunks_with_lines_of_three) {
  const auto findings = search_all<ChunkReader>({wait_alphabet, 6, 3, 3});
  EXPECT_EQ(findings.difference, std::nullopt);
  EXPECT_EQ(findings.strings, 55987U);  // 1 + 6 + 6^2 + ... + 6^6
}

TEST(ParserExhaustive, W1_F9_all_strings_of_six_bytes_in_all_chunks_with_numbers) {
  EXPECT_EQ(search_all<ChunkReader>({wait_alphabet, 6, 8192, 8192}).difference, std::nullopt);
}

TEST(ParserExhaustive, C1_F9_all_strings_of_six_bytes_in_all_chunks_with_limits) {
  EXPECT_EQ(search_all<ChunkReader>({share_alphabet, 6, 8192, 8192}).difference, std::nullopt);
}

// ---- requests, printed and parsed ----

// A request as a line, numbers ahead of the text.
std::string printed(const Request& request) {
  std::string line = model::spelling(request.verb);
  if (request.limit != 0) line += ' ' + std::to_string(request.limit);
  const bool has_time = request.verb == Verb::get_wait || request.verb == Verb::get_limited_wait;
  if (has_time) line += ' ' + std::to_string(request.milliseconds);
  return line + (request.text.empty() ? "" : " " + request.text) + '\n';
}

// Every string of up to so many of these bytes that folding leaves as it is.
std::vector<std::string> folded_texts(std::string_view alphabet, std::size_t length_max) {
  std::vector<std::string> texts = {""};
  for (std::size_t begin = 0, length = 0; length < length_max; ++length) {
    const std::size_t end = texts.size();
    for (; begin < end; ++begin) {
      for (const char byte : alphabet) texts.push_back(texts[begin] + byte);
    }
  }
  std::erase_if(texts, [](const std::string& text) {
    return text.starts_with(' ') || text.ends_with(' ') || text.find("  ") != std::string::npos;
  });
  return texts;
}

// All requests of a verb with such a text, if it takes one, and with numbers of all lengths, if it takes some.
std::vector<Request> requests_of(Verb verb, const std::vector<std::string>& texts) {
  const server::VerbRow& row = server::verb_table.at(static_cast<std::size_t>(verb));
  const bool takes_limit = verb == Verb::get_limited || verb == Verb::get_limited_wait;
  const bool takes_time = verb == Verb::get_wait || verb == Verb::get_limited_wait;
  const std::vector<std::uint32_t> none = {0};
  const std::vector<std::uint32_t> limits = {1, 2, 9, 10, 4711, 2147483647};
  const std::vector<std::uint32_t> times = {0, 1, 9, 10, 4711, 2147483647};
  std::vector<Request> requests;
  for (const std::string& text : row.takes == server::Takes::text ? texts : std::vector<std::string>{""}) {
    for (const std::uint32_t limit : takes_limit ? limits : none) {
      for (const std::uint32_t time : takes_time ? times : none) {
        requests.push_back({LineKind::command, verb, text, limit, time});
      }
    }
  }
  return requests;
}

TEST(Parsers, F2_F3_F9_W1_C1_C2_what_is_printed_is_parsed) {
  const auto texts = folded_texts({"k0 \0\xff", 5}, 4);
  std::uint64_t count = 0;
  for (const server::VerbRow& row : server::verb_table) {
    for (const Request& request : requests_of(row.verb, texts)) {
      const std::string line = printed(request);
      ASSERT_EQ(model::parse_stream(line, 8192), std::vector{request}) << line;
      ChunkReader reader(8192);
      ASSERT_TRUE(reader.read(line));
      ASSERT_EQ(reader.requests(), std::vector{request}) << line;
      ++count;
    }
  }
  std::printf("%lu requests printed and parsed\n", count);
}

// Canaries: a search that finds nothing here is dead.
TEST(ParserExhaustiveCanary, F6_a_limit_off_by_one_is_found) {
  EXPECT_TRUE(search_all<ChunkReader>({limit_alphabet, 6, 2, 3}).difference.has_value());
  EXPECT_TRUE(search_all<ChunkReader>({limit_alphabet, 6, 3, 2}).difference.has_value());
}

TEST(ParserExhaustiveCanary, F5_F6_a_reader_that_forgets_between_chunks_is_found) {
  EXPECT_TRUE(search_all<ForgetfulReader>({limit_alphabet, 6, 3, 3}).difference.has_value());
}

}  // namespace
}  // namespace lockd::proptests
