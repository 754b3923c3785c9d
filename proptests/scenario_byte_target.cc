#include "proptests/scenario_byte_target.h"

#include <algorithm>
#include <vector>

#include "model/expected_output.h"

namespace lockd::proptests {

std::string shown(const std::string& bytes) {
  return bytes.empty() ? "nothing" : model::ExpectedOutput::escaped(bytes);
}

void ByteTarget::expect(const std::string& client, const TranscriptStep& replies) {
  switch (replies.kind) {
    case StepKind::expect:
      return expect_lines(client, replies);
    case StepKind::expect_any_order:
      return expect_lines_in_any_order(client, replies);
    case StepKind::expect_end:
      if (const std::string rest = take_rest(client); !rest.empty()) throw Mismatch("END-OF-STREAM", shown(rest));
      return;
    default:
      throw std::invalid_argument("a step that expects nothing");
  }
}

void ByteTarget::expect_rising(const std::vector<std::string>& tokens) {
  if (const auto wrong = tokens_.not_rising(tokens)) throw std::runtime_error(*wrong);
}

void ByteTarget::expect_lines(const std::string& client, const TranscriptStep& replies) {
  for (const std::string& line : replies.lines) {
    const std::string actual = take_line(client);
    if (!is_expected(actual, ReplyPattern(line))) throw Mismatch(shown(line + '\n'), shown(actual));
  }
}

void ByteTarget::expect_lines_in_any_order(const std::string& client, const TranscriptStep& replies) {
  struct Missing {
    std::string line;
    ReplyPattern pattern;
  };
  std::vector<Missing> missing;
  for (const std::string& line : replies.lines) missing.push_back({line, ReplyPattern(line)});
  while (!missing.empty()) {
    const std::string actual = take_line(client);
    const auto found =
        std::ranges::find_if(missing, [&](const Missing& line) { return is_expected(actual, line.pattern); });
    if (found == missing.end()) {
      const std::string others = " or one of " + std::to_string(missing.size() - 1) + " others";
      throw Mismatch(shown(missing.front().line + '\n') + (missing.size() > 1 ? others : ""), shown(actual));
    }
    missing.erase(found);
  }
}

// actual: with its LF. Throws where only the tokens are not what they should be.
bool ByteTarget::is_expected(const std::string& actual, const ReplyPattern& pattern) {
  if (!actual.ends_with('\n')) return false;
  const auto tokens = pattern.match(std::string_view(actual).substr(0, actual.size() - 1));
  if (!tokens) return false;
  if (const auto wrong = tokens_.see(*tokens)) throw std::runtime_error(*wrong + ", in " + shown(actual));
  return true;
}

}  // namespace lockd::proptests
