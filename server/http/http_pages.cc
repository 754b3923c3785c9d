#include "server/http/http_pages.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "server/http/metrics.h"
#include "server/http/process_numbers.h"

namespace lockd::server {

namespace {

constexpr std::array pages = {
    std::pair{std::string_view("/"), Page::index},
    std::pair{std::string_view("/metrics"), Page::metrics},
    std::pair{std::string_view("/healthz"), Page::health},
    std::pair{std::string_view("/readyz"), Page::readiness},
};

/// Of a target in its short form, and in the long one, which names the host.
std::string_view path_of(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) return target;
  const std::size_t path_begin = target.find('/', scheme.size());
  return path_begin == std::string_view::npos ? "/" : target.substr(path_begin);
}

PageText page(unsigned status, std::string line) {
  PageText text;
  text.status = status;
  text.body = std::move(line) + "\n";
  return text;
}

PageText index() {
  return page(200, "lockd " LOCKD_VERSION
                   "\n/metrics  numbers for Prometheus\n/healthz  is it alive?\n/readyz   does it accept connections?");
}

std::string silence_of(std::size_t thread) { return "I/O thread " + std::to_string(thread) + " does not answer"; }

PageText metrics(const Vitals& vitals, std::span<const Statistics> threads) {
  if (!vitals.snapshot) return page(503, silence_of(0));
  PageText text;
  text.content_type = metrics_content_type;
  text.body = metrics_text(*vitals.snapshot, threads, process_numbers());
  return text;
}

PageText health(const Vitals& vitals) {
  return vitals.silent.empty() ? page(200, "ok") : page(503, silence_of(vitals.silent.front()));
}

PageText readiness(const Vitals& vitals) {
  if (!vitals.snapshot) return page(503, silence_of(0));
  if (!vitals.snapshot->accepts) return page(503, "accepting pauses: out of descriptors or memory");
  return page(200, "ok");
}

}  // namespace

std::optional<Page> page_of(std::string_view target) {
  const std::string_view path = path_of(target.substr(0, target.find('?')));
  const auto* const found = std::ranges::find(pages, path, &std::pair<std::string_view, Page>::first);
  return found == pages.end() ? std::nullopt : std::optional(found->second);
}

bool needs_vitals(Page page) { return page != Page::index; }

PageText show(Page page, const Vitals& vitals, std::span<const Statistics> threads) {
  switch (page) {
    case Page::index:
      return index();
    case Page::metrics:
      return metrics(vitals, threads);
    case Page::health:
      return health(vitals);
    case Page::readiness:
      return readiness(vitals);
  }
  return no_such_page();
}

PageText no_such_page() { return page(404, "no such page: there are /metrics, /healthz and /readyz"); }

PageText stopping_page() { return page(503, "stopping"); }

}  // namespace lockd::server
