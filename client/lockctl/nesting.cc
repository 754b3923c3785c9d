#include "client/lockctl/nesting.h"

#include "client/lockctl/locking.h"
#include "client/lockctl/text.h"

namespace lockd::lockctl {

std::string nesting_warning(const Options& options, const char* outer_key, const char* outer_mode) {
  const bool is_under_it = outer_key != nullptr && options.key == outer_key && outer_mode != nullptr &&
                           outer_mode == name_of(Mode::exclusive);
  if (!is_under_it || options.lock.mode != Mode::exclusive || options.lock.wait) return {};
  return std::string("lockctl ") + (options.command == Command::run ? "run" : "get") +
         ": warning: LOCKD_KEY says that this command runs under the lock " + printable(options.key) +
         " already: at the same server it waits for itself, for ever; -n and -w don't";
}

}  // namespace lockd::lockctl
