// Which word may have been meant by one that is none.
#ifndef LOCKD_SERVER_NEAREST_H_
#define LOCKD_SERVER_NEAREST_H_

#include <string>
#include <string_view>
#include <vector>

namespace lockd::server {

/// The word that is the fewest letters away, put in, left out or changed; empty where more than two are needed.
std::string nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_NEAREST_H_
