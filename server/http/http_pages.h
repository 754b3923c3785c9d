// The pages that the HTTP listener has, without HTTP: what is asked for, and what the answer says.
#ifndef LOCKD_SERVER_HTTP_HTTP_PAGES_H_
#define LOCKD_SERVER_HTTP_HTTP_PAGES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/statistics.h"
#include "server/vitals.h"

namespace lockd::server {

enum class Page : std::uint8_t { index, metrics, health, readiness };

/// Of a request's target, be it a path or a whole URI; its query is left aside. Nothing if there is no such page.
std::optional<Page> page_of(std::string_view target);

/// Whether the threads have to be asked before the page can be shown.
bool needs_vitals(Page page);

struct PageText {
  unsigned status = 200;  // of HTTP: 200, 404 or 503
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// vitals: only looked at where the page needs them. threads: the counters of every I/O thread. /metrics is there as
/// long as the first thread answers, /healthz says 200 if every thread does, /readyz if the first one does and
/// connections are accepted.
PageText show(Page page, const Vitals& vitals, std::span<const Statistics> threads);

/// For a target that no page has.
PageText no_such_page();

/// /readyz, once the server is about to end.
PageText stopping_page();

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_HTTP_PAGES_H_
