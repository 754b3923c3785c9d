#include "server/printable.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "server/utf8.h"

namespace lockd::server {

namespace {

/// Of a well-formed sequence.
char32_t character_of(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead;
  char32_t character = lead & (0x7FU >> sequence.size());
  for (const char byte : sequence.substr(1)) character = character << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  return character;
}

bool steers(char32_t character) {
  constexpr auto ranges = std::to_array<std::pair<char32_t, char32_t>>({{0, 0x1F},
                                                                        {0x7F, 0x9F},
                                                                        {0xAD, 0xAD},
                                                                        {0x61C, 0x61C},
                                                                        {0x200B, 0x200F},
                                                                        {0x2028, 0x202E},
                                                                        {0x2060, 0x206F},
                                                                        {0xFEFF, 0xFEFF}});
  return std::ranges::any_of(
      ranges, [character](const auto& range) { return character >= range.first && character <= range.second; });
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence(bytes);
    const std::string_view taken = bytes.substr(0, std::max<std::size_t>(length, 1));
    if (length > 0 && !steers(character_of(taken))) {
      text += taken;
    } else {
      for (const char byte : taken) text += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
    }
    bytes.remove_prefix(taken.size());
  }
  return text;
}

std::string error_line(std::string_view why) { return "lockd: " + printable(why) + "\n"; }

}  // namespace lockd::server
