// The heap of a program that is linked with lockd_test_heap, which replaces operator new for all of it: counted, and
// out of memory when a test says so. (Not under ThreadSanitizer, whose operator new can't be replaced.)
#ifndef LOCKD_ENGINE_TEST_HEAP_H_
#define LOCKD_ENGINE_TEST_HEAP_H_

#include <atomic>
#include <cstdint>
#include <limits>

namespace lockd {

/// What was asked of operator new and has not been given back. May be read at any time, by any thread.
extern std::atomic<std::int64_t> heap_bytes_in_use;

/// The most of it since the start, or since a test wrote something less here.
extern std::atomic<std::int64_t> heap_bytes_in_use_peak;

/// Calls of operator new by this thread.
extern thread_local std::int64_t allocation_count;

/// Both count down with each call of operator new by this thread: it throws std::bad_alloc where the one comes to 0,
/// and as long as the other is 0 or less.
extern thread_local std::int64_t allocations_until_one_fails;
extern thread_local std::int64_t allocations_until_all_fail;
inline constexpr std::int64_t never_fails = std::numeric_limits<std::int64_t>::max();

}  // namespace lockd

#endif  // LOCKD_ENGINE_TEST_HEAP_H_
