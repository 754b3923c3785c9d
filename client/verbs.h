// One verb on one connection: what Client and Lock have in common.
#ifndef LOCKD_CLIENT_VERBS_H_
#define LOCKD_CLIENT_VERBS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "client/connection.h"
#include "client/judge.h"

namespace lockd {

/// The first word of a request about a key, its numbers behind it, and how its reply reads.
struct KeyVerb {
  std::string words;
  Family family;
  Mode mode;
};

/// Checks the key, sends the request, and judges the reply. A protocol_error ends the connection.
Result<std::uint64_t> ask_about_key(Connection& connection, const KeyVerb& verb, std::string_view key,
                                    const Patience& patience = {});

/// `r` or `sr`.
Result<void> release_verb(Connection& connection, Mode mode, std::string_view key);

/// The same error, after the connection was ended if it is a protocol_error: the two sides don't know any more which
/// reply is to what.
Error checked(Connection& connection, Error error);

}  // namespace lockd

#endif  // LOCKD_CLIENT_VERBS_H_
