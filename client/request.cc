#include "client/request.h"

#include <algorithm>

#include "client/hex.h"

namespace lockd {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";  // F2

bool is_blank(char byte) { return blanks.find(byte) != std::string_view::npos; }

/// Whether folding changes the inside of a text (F3).
bool is_folded_inside(std::string_view text) {
  const auto changes = [](char left, char right) { return is_blank(left) && (left != ' ' || is_blank(right)); };
  return std::ranges::adjacent_find(text, changes) != text.end();
}

Error bad_argument(std::string_view what, std::string_view why) {
  return {Cause::bad_argument, std::string(what).append(why)};
}

}  // namespace

std::optional<Error> text_error(std::string_view what, std::string_view text) {
  if (text.find_first_of("\r\n") != std::string_view::npos) return bad_argument(what, " must not contain a line end");
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back())))
    return bad_argument(what, " must not begin or end with a blank: the server would drop it");
  if (is_folded_inside(text))
    return bad_argument(what, " must not contain a tab or two blanks in a row: the server would read a single space");
  return std::nullopt;
}

std::optional<Error> wait_error(std::chrono::milliseconds wait) {
  if (wait.count() >= 0 && wait.count() <= 2147483647) return std::nullopt;
  return bad_argument("the wait", " must be 0 to 2147483647 milliseconds");
}

std::optional<Error> limit_error(std::uint32_t limit) {
  if (limit >= 1 && limit <= 2147483647) return std::nullopt;
  return bad_argument("the limit", " must be 1 to 2147483647");
}

std::string shown(std::string_view key) {
  constexpr std::size_t shown_bytes_max = 64;
  std::string text = "\"";
  for (const char& byte : key.substr(0, shown_bytes_max)) {
    const bool is_plain = byte >= 0x20 && byte <= 0x7E && byte != '"' && byte != '\\';
    text += is_plain ? std::string(1, byte) : hex_escaped({&byte, 1});
  }
  return text.append(key.size() > shown_bytes_max ? "\"..." : "\"");
}

}  // namespace lockd
