// The daemon's process: options, log, exit status.
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>

#include "server/log.h"
#include "server/options.h"
#include "server/printable.h"
#include "server/server.h"

namespace {

/// From this size on, memory is mapped piece by piece and goes back to the system when it is freed, whatever lies
/// behind it in the heap: the lock table's chunks (up to 64 KiB) and its indices from 1,024 entries on. A request that
/// finds all warmed up asks for no memory, so that none pays for the mapping; input and replies of more than this that
/// have to be kept do.
constexpr int map_from_bytes = 4 * 1024;

/// Before lines that end the daemon, which are no matter of --log-level.
const char* error_prefix = "";

/// What nobody catches, be it thrown by a handler, by a destructor or where a library promised not to: memory is out.
/// (A mistake of ours is a LOCKD_CHECK, which aborts by itself.)
[[noreturn]] void end_at_once() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    std::fprintf(stderr, "%slockd ends: something failed that must not\n", error_prefix);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%slockd ends: %s\n", error_prefix, error.what());
  } catch (...) {
    std::fprintf(stderr, "%slockd ends: something was thrown\n", error_prefix);
  }
  std::_Exit(1);
}

/// Before other objects of the program are made, as some of them allocate.
[[gnu::constructor(101)]] void set_up_last_resort() { std::set_terminate(end_at_once); }

int leave(const lockd::server::Exit& exit) {
  exit.status == 0 ? std::fputs(exit.text.c_str(), stdout)
                   : std::fprintf(stderr, "%s%s", error_prefix, exit.text.c_str());
  return exit.status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bool to_journal = lockd::server::is_journal(STDERR_FILENO);
    if (to_journal) error_prefix = lockd::server::priority_prefix(spdlog::level::err);
    const auto read = lockd::server::read_options(argc, argv);
    if (const auto* exit = std::get_if<lockd::server::Exit>(&read)) return leave(*exit);
    const auto& options = std::get<lockd::server::Options>(read);
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(concurrency-mt-unsafe): no other thread yet. The log's reader may go away
    ::mallopt(M_MMAP_THRESHOLD, map_from_bytes);  // NOLINT(concurrency-mt-unsafe): likewise
    lockd::server::set_up_log(options.log_level, to_journal);
    for (const std::string& warning : options.warnings) spdlog::warn("{}", warning);
    lockd::server::run_server(options);
    return 0;
  } catch (const std::exception& error) {
    return leave({1, lockd::server::error_line(error.what())});
  }
}
