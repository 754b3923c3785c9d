// What a server may send: almost always one string, but a listing's keys come in no stated order (L5), tokens and times
// are the server's own (T1, E2), and so are the texts of `help` (E4).
#ifndef LOCKD_MODEL_EXPECTED_OUTPUT_H_
#define LOCKD_MODEL_EXPECTED_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/token_rule.h"

namespace lockd::model {

/// A sequence of parts, each of which says which bytes are right in its place. A value; empty, it expects no byte at
/// all.
class ExpectedOutput {
 public:
  /// Exactly these bytes come next.
  void add(std::string bytes);

  /// Next come `opening`, then all the pieces, each as often as it is given, in any order, with `separator` between any
  /// two, then `closing`.
  void add_any_order(std::vector<std::string> pieces, std::string opening = "", std::string separator = "",
                     std::string closing = "");

  /// Next comes a line for each of `beginnings`, in order: the beginning alone, or it and a space and any text.
  void add_lines(std::vector<std::string> beginnings);

  /// T2. Next come a token, that of this grant of the lock, then `text`.
  void add_token(const Lock& lock, std::uint64_t grant, std::string text);

  /// One line of `list` (E2), but for its age.
  struct ListLine {
    Lock lock;
    bool waiting;
    std::uint64_t grant;  // the token's; 0 for a waiter
    std::string holder;   // as it is shown
  };
  /// E2. Next come the lines of these keys, the keys in any order and each key's lines as given, then END.
  void add_list(std::vector<std::vector<ListLine>> keys);

  /// E3. Next comes a line `NAME: NUMBER` for each of these, in order, then END. Without a number: any number is right.
  void add_counters(std::vector<std::pair<std::string, std::optional<std::uint64_t>>> counters);

  /// What `more` expects comes next.
  void append(ExpectedOutput more);

  bool empty() const { return parts_.empty(); }

  /// mismatch: nothing if `actual`, from its first byte to its last, is what was expected; otherwise why it is not: the
  /// offset at which it ceases to match, with what was expected and what stands there, written as in scenario files.
  /// tokens: those that `actual` shows, up to there.
  struct Match {
    std::optional<std::string> mismatch;
    std::vector<ShownToken> tokens;
  };
  Match match(std::string_view actual) const;

  /// Half of it alone.
  std::optional<std::string> mismatch(std::string_view actual) const { return match(actual).mismatch; }
  std::vector<ShownToken> tokens(std::string_view actual) const { return match(actual).tokens; }

  /// `bytes` in quotes, with `\\`, `\r`, `\n`, `\t` and `\xHH` for what would not be seen.
  static std::string escaped(std::string_view bytes);

 private:
  struct AnyOrder {
    std::vector<std::string> pieces;
    std::string opening;
    std::string separator;
    std::string closing;
  };
  struct Lines {
    std::vector<std::string> beginnings;
  };
  struct Token {
    Lock lock;
    std::uint64_t grant;
    std::string text;
  };
  struct List {
    std::vector<std::vector<ListLine>> keys;
  };
  struct Counters {
    std::vector<std::pair<std::string, std::optional<std::uint64_t>>> counters;
  };
  struct Matcher;

  std::vector<std::variant<std::string, AnyOrder, Lines, Token, List, Counters>> parts_;
};

}  // namespace lockd::model

#endif  // LOCKD_MODEL_EXPECTED_OUTPUT_H_
