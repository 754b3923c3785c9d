// How much memory a lock table keeps when nobody holds a lock or waits for one. A program that uses this is
// linked with lockd_test_heap.
#ifndef LOCKD_PROPTESTS_MEMORY_AT_REST_H_
#define LOCKD_PROPTESTS_MEMORY_AT_REST_H_

#include <cstdint>

#include "proptests/table.h"

namespace lockd::proptests {

/// How many bytes of the heap a table at rest keeps more than a new one, if both are now used a little: then each part
/// of theirs that keeps something when it was in use was in use.
std::int64_t kept_beyond_a_new_one(AnyTable table, std::uint32_t shard_count);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_MEMORY_AT_REST_H_
