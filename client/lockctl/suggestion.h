// What somebody may have meant who mistyped a word.
#ifndef LOCKD_CLIENT_LOCKCTL_SUGGESTION_H_
#define LOCKD_CLIENT_LOCKCTL_SUGGESTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace lockd::lockctl {

/// How many letters must be put in, left out, changed or swapped with their neighbour to make one word of the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The one of `words` that is nearest to `typed`: at most two changes away and less than its own length, or the only
/// one that begins with what was typed; "" if none is.
std::string nearest(std::string_view typed, const std::vector<std::string>& words);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_SUGGESTION_H_
