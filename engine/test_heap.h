// The heap of a program that is compiled with test_heap.cc, counted: that file replaces operator new for all of it.
#ifndef LOCKD_ENGINE_TEST_HEAP_H_
#define LOCKD_ENGINE_TEST_HEAP_H_

#include <atomic>
#include <cstdint>

namespace lockd {

/// What was asked of operator new and has not been given back. May be read at any time, by any thread.
extern std::atomic<std::int64_t> heap_bytes_in_use;

/// The most of it since the start, or since a test wrote something less here.
extern std::atomic<std::int64_t> heap_bytes_in_use_peak;

}  // namespace lockd

#endif  // LOCKD_ENGINE_TEST_HEAP_H_
