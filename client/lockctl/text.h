// Text for terminals out of bytes of which anybody may be the author: what could steer a terminal is written \xHH.
//
// What is text is said by the locale of the process (setlocale(3), LC_CTYPE): in one without UTF-8 nothing beyond ASCII
// is. Threading: as the locale's.
#ifndef LOCKD_CLIENT_LOCKCTL_TEXT_H_
#define LOCKD_CLIENT_LOCKCTL_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace lockd::lockctl {

/// Each byte that is part of no character of the locale, and each byte of a character that is a control or changes the
/// direction of writing, as \xHH with capital digits. The rest as it is, a backslash too: this is for eyes.
std::string printable(std::string_view bytes);

/// How many columns printable(bytes) takes.
std::size_t columns_of(std::string_view bytes);

/// printable(bytes) in exactly so many columns: cut at the end of a character or filled up with spaces. Where something
/// was cut an ellipsis stands in the last column, or a + where the locale has none.
std::string fitted(std::string_view bytes, std::size_t columns);

/// fitted(), but with the spaces on the left.
std::string fitted_right(std::string_view bytes, std::size_t columns);

/// Whether the bytes are well-formed UTF-8, whatever the locale.
bool is_utf8(std::string_view bytes);

/// Each byte outside well-formed UTF-8 as \xHH, the rest as it is, controls too, whatever the locale.
std::string as_utf8(std::string_view bytes);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_TEXT_H_
