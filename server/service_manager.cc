#include "server/service_manager.h"

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace lockd::server {

namespace {

/// The library's errors are negative.
std::string reason(int result) { return std::generic_category().message(-result); }

/// One of the properties that any socket has; -1 if it is none.
int property(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, SOL_SOCKET, option, &value, &size);
  return value;
}

bool is_tcp_or_unix(int fd) {
  const int family = property(fd, SO_DOMAIN);
  const bool is_internet = family == AF_INET || family == AF_INET6;
  return family == AF_UNIX || (is_internet && property(fd, SO_PROTOCOL) == IPPROTO_TCP);
}

void check(const PassedSocket& passed) {
  const std::string who = "LISTEN_FDS: descriptor " + std::to_string(passed.fd) + " (" + passed.name + ")";
  if (::sd_is_socket(passed.fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 || !is_tcp_or_unix(passed.fd)) {
    throw std::runtime_error(who + ": no listening TCP or Unix stream socket (ListenStream= and Accept=no make one)");
  }
  if (property(passed.fd, SO_REUSEPORT) != 0) {
    throw std::runtime_error(who + ": with SO_REUSEPORT another server could share its port (ReusePort=no)");
  }
}

}  // namespace

std::vector<PassedSocket> passed_sockets() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) throw std::runtime_error("LISTEN_FDS: " + reason(count));
  std::vector<PassedSocket> passed;
  for (int i = 0; i < count; ++i) {
    passed.push_back({SD_LISTEN_FDS_START + i, names[i]});
    std::free(names[i]);
  }
  std::free(static_cast<void*>(names));
  for (const PassedSocket& each : passed) check(each);
  return passed;
}

void notify_service_manager(const std::string& lines) {
  const int sent = ::sd_notify(0, lines.c_str());
  if (sent >= 0) return;
  const std::string first = lines.substr(0, lines.find('\n'));  // of the log, each line is an entry
  spdlog::warn("NOTIFY_SOCKET: {}: the service manager is not told {}", reason(sent), first);
}

std::optional<std::chrono::microseconds> watchdog_timeout() {
  std::uint64_t timeout_us = 0;
  const int enabled = ::sd_watchdog_enabled(0, &timeout_us);
  if (enabled < 0) throw std::runtime_error("WATCHDOG_USEC: " + reason(enabled));
  if (enabled == 0) return std::nullopt;
  return std::chrono::microseconds(timeout_us);
}

}  // namespace lockd::server
