// What is UTF-8 and what is not.
#ifndef LOCKD_SERVER_UTF8_H_
#define LOCKD_SERVER_UTF8_H_

#include <cstddef>
#include <string_view>

namespace lockd::server {

/// The bytes of the well-formed UTF-8 sequence that `bytes` begins with, 1 to 4, by table 3-7 of the Unicode standard;
/// 0 if there is none.
std::size_t utf8_sequence(std::string_view bytes);

/// Whether they are nothing but such sequences.
bool is_utf8(std::string_view bytes);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_UTF8_H_
