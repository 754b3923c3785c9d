// A key together with its hash.
#ifndef LOCKD_ENGINE_HASHED_KEY_H_
#define LOCKD_ENGINE_HASHED_KEY_H_

#include <cstdint>
#include <string_view>

namespace lockd::engine {

/// A key with its hash under a table's seed, so that a request hashes its key once, whoever needs it. The bytes lie
/// where they lay: it is of use for as long as they do.
struct HashedKey {
  std::string_view bytes;
  std::uint64_t hash = 0;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_HASHED_KEY_H_
