// Bytes written as \xHH, as the protocol writes them (F8, E2) and as people read them.
#ifndef LOCKD_CLIENT_HEX_H_
#define LOCKD_CLIENT_HEX_H_

#include <string>
#include <string_view>

namespace lockd {

/// Each byte as `\xHH`, in capital letters.
inline std::string hex_escaped(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.append("\\x").append({digits[byte >> 4U], digits[byte & 15U]});
  }
  return text;
}

}  // namespace lockd

#endif  // LOCKD_CLIENT_HEX_H_
