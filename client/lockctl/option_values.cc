#include "client/lockctl/option_values.h"

#include <charconv>
#include <system_error>

#include "client/uri.h"

namespace lockd::lockctl {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits behind the decimal point, as thousandths rounded up.
std::int64_t thousandths(std::string_view digits) {
  std::int64_t value = 0;
  for (std::size_t place = 0; place < 3; ++place)
    value = value * 10 + (place < digits.size() ? digits[place] - '0' : 0);
  const bool more = digits.size() > 3 && digits.find_first_not_of('0', 3) != std::string_view::npos;
  return value + (more ? 1 : 0);
}

}  // namespace

std::optional<std::uint64_t> parse_whole_number(std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || number < min || number > max) return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text, std::chrono::milliseconds max) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  for (const char c : fraction) {
    if (!is_digit(c)) return std::nullopt;
  }
  const std::uint64_t seconds_max = static_cast<std::uint64_t>(max.count()) / 1000;
  const auto whole_seconds = whole.empty() ? 0 : parse_whole_number(whole, 0, seconds_max);
  if (!whole_seconds) return std::nullopt;
  const std::chrono::milliseconds result(static_cast<std::int64_t>(*whole_seconds) * 1000 + thousandths(fraction));
  return result > max ? std::nullopt : std::optional(result);
}

std::string expected_of_server(std::string_view uri) {
  const auto address = parse_uri(uri);
  return address ? std::string() : address.error().text.substr(uri.size() + 2);  // behind "URI: "
}

}  // namespace lockd::lockctl
