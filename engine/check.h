// The assert that is always on: for programmers' mistakes, never for what a client or the system did.
#ifndef LOCKD_ENGINE_CHECK_H_
#define LOCKD_ENGINE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace lockd::engine {

/// Before the line of a check that fails: a priority, for a reader who looks for one. To be set while there is one
/// thread.
inline const char* check_prefix = "";

/// Prints where and what, and aborts: a lock server that no longer knows who holds what must not go on answering.
[[noreturn]] inline void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "%s%s:%d: check failed: %s (%s)\n", check_prefix, file, line, message, condition);
  std::abort();
}

}  // namespace lockd::engine

/// LOCKD_CHECK(condition, "what must hold"): evaluated in every build.
#define LOCKD_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::lockd::engine::check_failed(__FILE__, __LINE__, #condition, message))

#endif  // LOCKD_ENGINE_CHECK_H_
