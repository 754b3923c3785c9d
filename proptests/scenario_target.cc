#include "proptests/scenario_target.h"

#include <algorithm>

namespace lockd::proptests {

bool take_flag(std::vector<std::string>& flags, std::string_view name) { return std::erase(flags, name) > 0; }

std::uint64_t take_number(std::vector<std::string>& flags, std::string_view name, std::uint64_t fallback) {
  const auto flag = std::ranges::find(flags, name);
  if (flag == flags.end()) return fallback;
  if (flag + 1 == flags.end()) throw std::invalid_argument("no number after " + *flag);
  const std::uint64_t number = std::stoull(*(flag + 1));
  flags.erase(flag, flag + 2);
  return number;
}

void expect_none_left(const std::vector<std::string>& flags) {
  if (!flags.empty()) throw std::invalid_argument("this target has no flag " + flags.front());
}

}  // namespace lockd::proptests
