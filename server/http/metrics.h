// The server's numbers in Prometheus' text format.
#ifndef LOCKD_SERVER_HTTP_METRICS_H_
#define LOCKD_SERVER_HTTP_METRICS_H_

#include <span>
#include <string>

#include "server/http/process_numbers.h"
#include "server/statistics.h"
#include "server/vitals.h"

namespace lockd::server {

/// The Content-Type of metrics_text().
inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, as docs/metrics.md lists them. No label has a value that a client can choose: neither the names of
/// locks nor those of sessions or verbs that there are none. threads: the counters of every I/O thread.
std::string metrics_text(const Snapshot& snapshot, std::span<const Statistics> threads, const ProcessNumbers& process);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_METRICS_H_
