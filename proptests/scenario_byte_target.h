// What targets have in common whose replies are bytes.
#ifndef LOCKD_PROPTESTS_SCENARIO_BYTE_TARGET_H_
#define LOCKD_PROPTESTS_SCENARIO_BYTE_TARGET_H_

#include <string>
#include <vector>

#include "proptests/scenario_pattern.h"
#include "proptests/scenario_target.h"

namespace lockd::proptests {

/// Compares what comes with what is expected, byte for byte and at once, and what tokens are shown with one another.
class ByteTarget : public Target {
 public:
  void expect(const std::string& client, const TranscriptStep& replies) final;
  void expect_rising(const std::vector<std::string>& tokens) final;

 private:
  /// The client's next line with its LF; less only if no LF comes any more.
  virtual std::string take_line(const std::string& client) = 0;

  /// All that comes before the end of the stream. Throws Mismatch if that does not come.
  virtual std::string take_rest(const std::string& client) = 0;

  void expect_lines(const std::string& client, const TranscriptStep& replies);
  void expect_lines_in_any_order(const std::string& client, const TranscriptStep& replies);
  bool is_expected(const std::string& actual, const ReplyPattern& pattern);

  NamedTokens tokens_;
};

/// For messages: the bytes in quotes, or "nothing".
std::string shown(const std::string& bytes);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_BYTE_TARGET_H_
