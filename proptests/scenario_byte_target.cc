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
    case StepKind::expect_nothing:
      return settle(client);
    case StepKind::expect_end:
      if (const std::string rest = take_rest(client); !rest.empty()) throw Mismatch("END-OF-STREAM", shown(rest));
      return;
    default:
      throw std::invalid_argument("a step that expects nothing");
  }
}

void ByteTarget::expect_lines(const std::string& client, const TranscriptStep& replies) {
  for (const std::string& line : replies.lines) {
    const std::string actual = take_line(client);
    if (actual != line + '\n') throw Mismatch(shown(line + '\n'), shown(actual));
  }
}

void ByteTarget::expect_lines_in_any_order(const std::string& client, const TranscriptStep& replies) {
  std::vector<std::string> missing = replies.lines;
  while (!missing.empty()) {
    const std::string actual = take_line(client);
    const auto found = std::ranges::find_if(missing, [&](const std::string& line) { return actual == line + '\n'; });
    if (found == missing.end()) {
      const std::string others = " or one of " + std::to_string(missing.size() - 1) + " others";
      throw Mismatch(shown(missing.front() + '\n') + (missing.size() > 1 ? others : ""), shown(actual));
    }
    missing.erase(found);
  }
}

}  // namespace lockd::proptests
