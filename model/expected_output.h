// What a server may send: almost always one string, but a listing's keys come in no stated order (L5), and the texts of
// `help` are the server's own (E4).
#ifndef LOCKD_MODEL_EXPECTED_OUTPUT_H_
#define LOCKD_MODEL_EXPECTED_OUTPUT_H_

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lockd::model {

/// A sequence of parts, each of which says which bytes are right in its place. A value; empty, it expects no byte at
/// all.
class ExpectedOutput {
 public:
  /// Exactly these bytes come next.
  void add(std::string_view bytes);

  /// Next come `opening`, then all the pieces, each as often as it is given, in any order, with `separator` between any
  /// two, then `closing`.
  void add_any_order(std::vector<std::string> pieces, std::string opening = "", std::string separator = "",
                     std::string closing = "");

  /// Next comes a line for each of `beginnings`, in order: the beginning alone, or it and a space and any text.
  void add_lines(std::vector<std::string> beginnings);

  /// What `more` expects comes next.
  void append(const ExpectedOutput& more);

  bool empty() const { return parts_.empty(); }

  /// Nothing if `actual`, from its first byte to its last, is what was expected; otherwise why it is not: the offset at
  /// which it ceases to match, with what was expected and what stands there, written as in scenario files.
  std::optional<std::string> mismatch(std::string_view actual) const;

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
  struct Matcher;

  std::vector<std::variant<std::string, AnyOrder, Lines>> parts_;
};

}  // namespace lockd::model

#endif  // LOCKD_MODEL_EXPECTED_OUTPUT_H_
