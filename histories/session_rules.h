// What a history shows to be wrong without a search: rules within a session, and of tokens.
#ifndef LOCKD_HISTORIES_SESSION_RULES_H_
#define LOCKD_HISTORIES_SESSION_RULES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "histories/history.h"

namespace lockd::histories {

/// A rule that is broken, and the operations that show it (indices of History::operations).
struct Fault {
  std::string what;
  std::vector<std::size_t> operations;
};

/// W1: no wait times out before its time. W9: as many waits were canceled as `cancel`s say so, and each before its
/// `cancel`. E1: `ra` counts what the session held by its own answers. S3: of a session whose end was read to the end
/// of the stream (`fin`, `quit`), all was answered up to the first request that may wait. T1, T2: the token of a hold
/// stays, and no other hold of this server has it.
std::vector<Fault> broken_rules(const History& history);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_SESSION_RULES_H_
