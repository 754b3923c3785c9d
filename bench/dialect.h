// What the same operation looks like on the wires of lockd, memcached and Redis, and what must come back.
#ifndef LOCKD_BENCH_DIALECT_H_
#define LOCKD_BENCH_DIALECT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lockd::bench {

enum class Dialect : std::uint8_t { lockd, memcached, redis };

enum class Operation : std::uint8_t {
  acquire,         // `g K`; `add K`; `SET K v NX`
  acquire_wait,    // `gw 60000 K`; the peers cannot
  release,         // `r K`; `delete K`; `DEL K`. The peers release whoever asks
  inspect,         // `i K`; `get K`; `EXISTS K`
  share,           // `sg K`; the peers cannot
  unshare,         // `sr K`
  inspect_shared,  // `si K`
};

/// One request with its two possible replies, terminators included. Neither reply is the beginning of the other.
struct Exchange {
  std::string request;
  std::string yes;
  std::string no;
};

/// `count` is the number of holders that lockd writes ahead of `yes` for share and inspect_shared. Throws
/// std::invalid_argument where the dialect has no such operation.
Exchange exchange(Dialect dialect, Operation operation, std::string_view key, std::size_t count = 1);

/// A request that any server of this dialect answers at once, and what it says.
Exchange greeting(Dialect dialect);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_DIALECT_H_
