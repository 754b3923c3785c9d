// Reply lines of scenarios that leave a number open, because it is the server's own: tokens (T1), ages (E2), times
// (E3).
#ifndef LOCKD_PROPTESTS_SCENARIO_PATTERN_H_
#define LOCKD_PROPTESTS_SCENARIO_PATTERN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::proptests {

/// What a line shows in the place of `{token NAME}`.
struct NamedToken {
  std::string name;
  std::uint64_t token;

  friend bool operator==(const NamedToken&, const NamedToken&) = default;
};

/// A reply line in which `{token NAME}` and `{number}` stand for numbers, decimal and without leading zeros. All else
/// stands for itself. A value.
class ReplyPattern {
 public:
  /// text: the line without its LF.
  explicit ReplyPattern(std::string_view text);

  /// The tokens in `line`, or nothing if it is no such line.
  std::optional<std::vector<NamedToken>> match(std::string_view line) const;

  /// The line with a number for each token, given its name, and this one for each other number.
  std::string filled(const std::function<std::uint64_t(const std::string&)>& token_of, std::uint64_t number) const;

 private:
  /// `literal`, and behind it a number, but for the last part.
  struct Part {
    std::string literal;
    std::string token_name;  // "" for any number
  };

  std::vector<Part> parts_;
};

/// T1, as far as a client sees it: what the names of one scenario's tokens stand for. A value.
class NamedTokens {
 public:
  /// Takes them in. Nothing if they can be what the names stand for beside all that came before; otherwise why they
  /// can't, and then nothing was taken in.
  std::optional<std::string> see(const std::vector<NamedToken>& shown);

  /// Nothing if all these were seen, each larger than the one before it; otherwise which is not.
  std::optional<std::string> not_rising(const std::vector<std::string>& names) const;

 private:
  std::optional<std::string> see_one(const NamedToken& shown);

  std::map<std::string, std::uint64_t> tokens_;
  std::map<std::uint64_t, std::string> names_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_PATTERN_H_
