// T1 as a check: the model numbers the grants 1, 2, 3, ..., a server hands out tokens of its own. Whether these could
// be right is seen wherever both show.
#ifndef LOCKD_MODEL_TOKEN_RULE_H_
#define LOCKD_MODEL_TOKEN_RULE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/lock_model.h"

namespace lockd::model {

/// One grant's token, as the model numbers it and as the server showed it.
struct ShownToken {
  Lock lock;
  std::uint64_t grant;
  std::uint64_t token;
};

/// What was seen of one server since its start. A value.
class TokenRule {
 public:
  /// Nothing if this token can be that grant's beside all that was seen before; otherwise which part of T1 is broken:
  /// from 1 to 2^53 - 1; one grant, one token; different grants, different tokens; of one key and kind, the later the
  /// larger.
  std::optional<std::string> see(const ShownToken& shown);

  /// The first that is broken, of several.
  std::optional<std::string> see(const std::vector<ShownToken>& all);

 private:
  std::set<std::uint64_t> seen_;                                   // of all locks
  std::map<Lock, std::map<std::uint64_t, std::uint64_t>> tokens_;  // of each lock, by grant
};

}  // namespace lockd::model

#endif  // LOCKD_MODEL_TOKEN_RULE_H_
