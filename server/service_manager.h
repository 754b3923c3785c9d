// What the daemon and the service manager that started it tell one another: systemd, or whoever sets its environment.
#ifndef LOCKD_SERVER_SERVICE_MANAGER_H_
#define LOCKD_SERVER_SERVICE_MANAGER_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace lockd::server {

/// A listening socket that was open when the process began (socket activation).
struct PassedSocket {
  int fd = -1;
  std::string name;  // FileDescriptorName= of its unit, for people to read
};

/// The sockets that LISTEN_FDS tells of, if LISTEN_PID is this process: descriptors from 3 on, now closed on exec. The
/// variables are taken out of the environment: a second call finds none. To be called while there is one thread. Throws
/// std::runtime_error where the variables make no sense, or one of the descriptors is anything but a listening TCP or
/// Unix stream socket which is its listener's alone: connections on it would not be lockd's to serve.
std::vector<PassedSocket> passed_sockets();

/// Sends lines of NAME=VALUE (sd_notify(3): READY=1 and so on) to NOTIFY_SOCKET; nothing where that is not set. It is
/// a warning in the log if they can't be sent. Thread-safe.
void notify_service_manager(const std::string& lines);

/// How long the service manager waits for a WATCHDOG=1 before it restarts this process (WATCHDOG_USEC); nothing if it
/// does not. Throws std::runtime_error where that is no number.
std::optional<std::chrono::microseconds> watchdog_timeout();

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SERVICE_MANAGER_H_
