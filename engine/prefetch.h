// How cache lines are asked for ahead of their use.
#ifndef LOCKD_ENGINE_PREFETCH_H_
#define LOCKD_ENGINE_PREFETCH_H_

namespace lockd::engine {

/// Asks for the cache line of any address, even one where nothing may be read, and does not wait for it.
inline void prefetch_line(const void* address) noexcept {
  __builtin_prefetch(address);
  asm volatile("");  // g++ drops calls of functions that only prefetch: it takes them for ones without effect
}

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_PREFETCH_H_
