// lockctl: named locks of a lockd server, on the command line.
#include <clocale>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>

#include "client/lockctl/bench.h"
#include "client/lockctl/exit_status.h"
#include "client/lockctl/options.h"
#include "client/lockctl/output.h"
#include "client/lockctl/queries.h"
#include "client/lockctl/run.h"
#include "client/lockctl/top.h"

namespace {

using namespace lockd::lockctl;  // NOLINT(google-build-using-namespace): this file is its main

int execute(const Options& options) {
  switch (options.command) {
    case Command::run:
      return run(options);
    case Command::get:
      return get(options);
    case Command::top:
      return top(options);
    case Command::bench:
      return bench(options);
    default:
      return query(options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    occupy_closed_streams();
    std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): no other thread yet
    // NOLINTNEXTLINE(concurrency-mt-unsafe): likewise
    const auto read = read_options(argc, argv, std::getenv("LOCKD_SERVER"));
    if (const auto* failure = std::get_if<Failure>(&read)) return report(*failure);
    if (const auto* text = std::get_if<Print>(&read)) {
      print(text->text);
      return finish(exit_status::success);
    }
    return execute(std::get<Options>(read));
  } catch (const std::exception& error) {
    return report({exit_status::system_error, std::string("lockctl: ") + error.what()});
  }
}
