#include "client/lockctl/text.h"

#include <langinfo.h>

#include <algorithm>
#include <array>
#include <cwchar>
#include <cwctype>
#include <utility>
#include <vector>

#include "client/hex.h"

namespace lockd::lockctl {

namespace {

/// What is shown as one: a character with what is written onto it, or one escaped byte.
struct Glyph {
  std::string text;
  std::size_t columns = 0;
};

/// Characters that are no controls to the C library, but change what stands around them, or cannot be seen: the text
/// of one key would look like another's. (Unicode's Default_Ignorable_Code_Point, and what separates lines.)
bool steers(wchar_t character) {
  constexpr auto ranges = std::to_array<std::pair<wchar_t, wchar_t>>({{0xAD, 0xAD},
                                                                      {0x34F, 0x34F},
                                                                      {0x61C, 0x61C},
                                                                      {0x115F, 0x1160},
                                                                      {0x17B4, 0x17B5},
                                                                      {0x180B, 0x180F},
                                                                      {0x200B, 0x200F},
                                                                      {0x2028, 0x202E},
                                                                      {0x2060, 0x206F},
                                                                      {0x3164, 0x3164},
                                                                      {0xFE00, 0xFE0F},
                                                                      {0xFEFF, 0xFEFF},
                                                                      {0xFFA0, 0xFFA0},
                                                                      {0xFFF0, 0xFFFB},
                                                                      {0x1D173, 0x1D17A},
                                                                      {0xE0000, 0xE0FFF}});
  return std::ranges::any_of(
      ranges, [character](const auto& range) { return character >= range.first && character <= range.second; });
}

/// Takes the first glyph off `bytes`, which is not empty. `is_first`: there is none that it could be written onto.
Glyph take_glyph(std::string_view& bytes, bool is_first) {
  wchar_t character = 0;
  std::mbstate_t state{};
  const std::size_t length = std::mbrtowc(&character, bytes.data(), bytes.size(), &state);
  const bool is_character = length > 0 && length <= bytes.size();
  const std::string_view taken = bytes.substr(0, is_character ? length : 1);
  bytes.remove_prefix(taken.size());
  const int columns = is_character && !steers(character) && std::iswprint(static_cast<wint_t>(character)) != 0
                          ? ::wcwidth(character)
                          : -1;
  if (columns >= (is_first ? 1 : 0)) return {std::string(taken), static_cast<std::size_t>(columns)};
  std::string text = hex_escaped(taken);
  const std::size_t text_columns = text.size();
  return {std::move(text), text_columns};
}

std::vector<Glyph> glyphs_of(std::string_view bytes) {
  std::vector<Glyph> glyphs;
  while (!bytes.empty()) {
    Glyph glyph = take_glyph(bytes, glyphs.empty());
    if (glyph.columns == 0) {
      glyphs.back().text += glyph.text;
    } else {
      glyphs.push_back(std::move(glyph));
    }
  }
  return glyphs;
}

std::size_t columns_of(const std::vector<Glyph>& glyphs) {
  std::size_t columns = 0;
  for (const Glyph& glyph : glyphs) columns += glyph.columns;
  return columns;
}

std::string ellipsis() { return std::string_view(::nl_langinfo(CODESET)) == "UTF-8" ? "\u2026" : "+"; }

/// The glyphs in at most so many columns, and how many they took.
std::pair<std::string, std::size_t> cut(std::string_view bytes, std::size_t columns) {
  const std::vector<Glyph> glyphs = glyphs_of(bytes);
  const bool whole = columns_of(glyphs) <= columns;
  if (!whole && columns == 0) return {};
  const std::size_t room = whole ? columns : columns - 1;
  std::string text;
  std::size_t used = 0;
  for (const Glyph& glyph : glyphs) {
    if (used + glyph.columns > room) break;
    text += glyph.text;
    used += glyph.columns;
  }
  if (whole) return {text, used};
  return {text + ellipsis(), used + 1};
}

/// How long the UTF-8 sequence is with which the bytes begin, 0 if they begin with none.
std::size_t sequence_length(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  const auto follows = [byte](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && follows(2) ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
  return second && follows(2) && follows(3) ? 4 : 0;
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  for (const Glyph& glyph : glyphs_of(bytes)) text += glyph.text;
  return text;
}

std::size_t columns_of(std::string_view bytes) { return columns_of(glyphs_of(bytes)); }

std::string fitted(std::string_view bytes, std::size_t columns) {
  auto [text, used] = cut(bytes, columns);
  return text.append(columns - used, ' ');
}

std::string fitted_right(std::string_view bytes, std::size_t columns) {
  const auto [text, used] = cut(bytes, columns);
  return std::string(columns - used, ' ') + text;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    text += length == 0 ? hex_escaped(bytes.substr(0, 1)) : std::string(bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

}  // namespace lockd::lockctl
