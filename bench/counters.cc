// Reading `NAME: NUMBER` lines.
#include "bench/counters.h"

#include <charconv>
#include <map>
#include <stdexcept>

namespace lockd::bench {
namespace {

std::uint64_t number_of(const std::string& line, std::size_t start) {
  std::uint64_t number = 0;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data() + start, end, number);
  if (error != std::errc{} || rest != end) throw std::runtime_error("no number at the end of: " + line);
  return number;
}

}  // namespace

Counters read_counters(const std::function<std::string()>& read_line) {
  std::map<std::string, std::uint64_t> found;
  for (std::string name; name != "shared_orphans";) {
    const std::string line = read_line();
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) throw std::runtime_error("q was answered with the line: " + line);
    if (line.substr(0, colon) <= name) throw std::runtime_error("q is out of order at the line: " + line);
    name = line.substr(0, colon);
    found[name] = number_of(line, colon + 2);
  }
  try {
    return {.connections = found.at("connections"),
            .locks = found.at("locks"),
            .shared_locks = found.at("shared_locks"),
            .orphans = found.at("orphans"),
            .shared_orphans = found.at("shared_orphans")};
  } catch (const std::out_of_range&) {
    throw std::runtime_error("q lacks a counter");
  }
}

}  // namespace lockd::bench
