// The daemon's process: options, log, exit status.
#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <variant>

#include "server/options.h"
#include "server/server.h"

namespace {

/// From this size on, memory is mapped piece by piece and goes back to the system when it is freed, whatever lies
/// behind it in the heap: the lock table's chunks (up to 64 KiB) and its indices from 1,024 entries on. A request that
/// finds all warmed up asks for no memory, so that none pays for the mapping; input and replies of more than this that
/// have to be kept do.
constexpr int map_from_bytes = 4 * 1024;

void set_up_log(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("lockd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  spdlog::set_level(spdlog::level::from_str(level));
}

/// What nobody catches, be it thrown by a handler, by a destructor or where a library promised not to: memory is out.
/// (A mistake of ours is a LOCKD_CHECK, which aborts by itself.)
[[noreturn]] void end_at_once() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    std::fputs("lockd ends: something failed that must not\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockd ends: %s\n", error.what());
  } catch (...) {
    std::fputs("lockd ends: something was thrown\n", stderr);
  }
  std::_Exit(1);
}

/// Before other objects of the program are made, as some of them allocate.
[[gnu::constructor(101)]] void set_up_last_resort() { std::set_terminate(end_at_once); }

int leave(const lockd::server::Exit& exit) {
  std::fputs(exit.text.c_str(), exit.status == 0 ? stdout : stderr);
  return exit.status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto read = lockd::server::read_options(argc, argv);
    if (const auto* exit = std::get_if<lockd::server::Exit>(&read)) return leave(*exit);
    const auto& options = std::get<lockd::server::Options>(read);
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(concurrency-mt-unsafe): no other thread yet. The log's reader may go away
    ::mallopt(M_MMAP_THRESHOLD, map_from_bytes);  // NOLINT(concurrency-mt-unsafe): likewise
    set_up_log(options.log_level);
    lockd::server::run_server(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockd: %s\n", error.what());
    return 1;
  }
}
