// The whole daemon behind one call.
#ifndef LOCKD_SERVER_SERVER_H_
#define LOCKD_SERVER_SERVER_H_

#include "server/options.h"

namespace lockd::server {

/// Listens and serves until SIGTERM, SIGINT or SIGHUP (a closed terminal). Once ready it prints a line `listening on
/// URI` for each listener to stdout. Throws what keeps it from starting (std::exception: an address in use, a pidfile
/// that can't be written,
/// ...), what() saying what and where.
void run_server(const Options& options);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SERVER_H_
