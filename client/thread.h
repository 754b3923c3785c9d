// How the library starts its threads.
#ifndef LOCKD_CLIENT_THREAD_H_
#define LOCKD_CLIENT_THREAD_H_

#include <functional>
#include <optional>
#include <thread>

namespace lockd {

/// A thread with all signals blocked: handlers are for the threads of the program. Nothing if none can be had.
std::optional<std::thread> start_thread(std::function<void()> body);

}  // namespace lockd

#endif  // LOCKD_CLIENT_THREAD_H_
