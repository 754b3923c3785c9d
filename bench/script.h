// What one connection of the load generator sends, batch by batch, and what must come back: made before the measuring
// begins, so that a batch costs one send and the check of its replies one comparison of bytes, whatever the server.
#ifndef LOCKD_BENCH_SCRIPT_H_
#define LOCKD_BENCH_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/dialect.h"

namespace lockd::bench {

enum class Workload : std::uint8_t {
  own,            // acquire and release of keys that nobody else asks for
  hot,            // acquire and release of few keys, the same ones for all: some succeed
  shared,         // share and unshare of own keys; lockd alone, as all that follow
  inspect,        // of keys that the connection holds itself (with the peers: that are set)
  waits,          // connections in pairs, with a key for each: one holds it, the other one waits for it
  crowd,          // share and unshare of one key that others hold, too
  crowd_inspect,  // looks at that key
  hoard,          // acquire of all own keys, then release of all: many locks at a time
};

struct Shape {
  Dialect dialect = Dialect::lockd;
  Workload workload = Workload::own;
  std::size_t connections = 50;
  std::size_t depth = 1;    // requests in flight on each connection: the size of a batch
  std::size_t keys = 1;     // of each connection, at least; more where the batches do not come out even
  std::size_t holders = 0;  // of the crowd's key, besides the connections that ask for it
  bool hostile_keys = false;
  std::size_t first = 0;  // the number of the first connection: keys are named by numbers, and several loads may run
};

/// Requests that go out at once; the next batch goes out when all of it is answered.
struct Batch {
  std::size_t count = 0;
  std::string requests;
  /// Of each request the replies that are right; none of them is the beginning of another.
  std::vector<std::vector<std::string>> replies;
  /// All of them in a row, where each request has one: the usual case. Otherwise empty.
  std::string exact;
};

/// First `opening` in order, then `loop` again and again.
struct Script {
  std::vector<Batch> opening;
  std::vector<Batch> loop;
};

/// The script of connection number `connection`. Throws std::invalid_argument on a shape that makes no sense.
Script script_of(const Shape& shape, std::size_t connection);

/// 21 bytes, a different key for each pair of numbers. Hostile ones have all the same value (for each `number` below
/// 1,024) under the hash h = 33 h + byte that many a table uses without a seed.
std::string key_of(bool hostile, std::size_t connection, std::size_t number);

/// The key of which `crowd` and `crowd_inspect` speak.
inline constexpr std::string_view crowd_key = "crowd-000000000000000";

/// Finds one reply of `any_of` at the beginning of `bytes`: its size, 0 where more bytes are needed to say. Throws
/// std::runtime_error where the bytes are the beginning of none.
std::size_t match_reply(const std::vector<std::string>& any_of, std::string_view bytes);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_SCRIPT_H_
