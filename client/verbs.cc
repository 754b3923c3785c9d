#include "client/verbs.h"

#include <utility>

#include "client/request.h"

namespace lockd {

Error checked(Connection& connection, Error error) {
  if (error.cause == Cause::protocol_error) connection.end(error);
  return error;
}

Result<std::uint64_t> ask_about_key(Connection& connection, const KeyVerb& verb, std::string_view key,
                                    const Patience& patience) {
  if (auto error = text_error("the key", key)) return std::move(*error);
  const auto replies = connection.exchange({{verb.words + " " + std::string(key)}}, patience);
  if (!replies) return replies.error();
  auto judged = judge(verb.family, verb.mode, key, replies->front().front());
  if (!judged) return checked(connection, judged.error());
  return judged;
}

Result<void> release_verb(Connection& connection, Mode mode, std::string_view key) {
  const KeyVerb verb{mode == Mode::shared ? "sr" : "r", Family::release, mode};
  const auto released = ask_about_key(connection, verb, key);
  if (!released) return released.error();
  return {};
}

}  // namespace lockd
