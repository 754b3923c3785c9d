// What `q` and `stats` answer.
#ifndef LOCKD_SERVER_COUNTERS_H_
#define LOCKD_SERVER_COUNTERS_H_

#include <string>

#include "server/services.h"

namespace lockd::server {

/// L3: appends the classic counters, a line each, sorted by name.
template <class Mutex>
void print_classic_counters(const Services<Mutex>& services, std::string& out);

/// E3: appends all counters, a line each, sorted by name, and END. docs/protocol.md explains each.
template <class Mutex>
void print_statistics(const Services<Mutex>& services, std::string& out);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_COUNTERS_H_
