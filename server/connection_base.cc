#include "server/connection_base.h"

#include <spdlog/spdlog.h>

namespace lockd::server {

void log_vanished(std::string_view address, const boost::system::error_code& error) {
  spdlog::info("{} has vanished ({}): its connection ends", address, error.message());
}

void log_stuck(std::string_view address, std::chrono::seconds timeout) {
  spdlog::info("{} took no replies for {} s: its connection ends", address, timeout.count());
}

}  // namespace lockd::server
