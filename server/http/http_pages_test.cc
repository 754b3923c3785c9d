// What each page says of given vitals.
#include "server/http/http_pages.h"

#include <gtest/gtest.h>

#include <array>

namespace lockd::server {
namespace {

constexpr std::array<Statistics, 0> nobody{};

Vitals well() { return {.snapshot = Snapshot{}, .silent = {}}; }

Vitals silent(std::size_t thread) {
  Vitals vitals = well();
  vitals.silent = {thread};
  if (thread == 0) vitals.snapshot.reset();
  return vitals;
}

TEST(HttpPages, targets) {
  EXPECT_EQ(page_of("/"), Page::index);
  EXPECT_EQ(page_of("/metrics"), Page::metrics);
  EXPECT_EQ(page_of("/metrics?name[]=x"), Page::metrics);
  EXPECT_EQ(page_of("/healthz"), Page::health);
  EXPECT_EQ(page_of("/readyz?"), Page::readiness);
  EXPECT_EQ(page_of("http://localhost:9998/healthz"), Page::health);  // as through a proxy (RFC 9112, 3.2.2)
  EXPECT_EQ(page_of("http://localhost:9998"), Page::index);
  for (const char* const target : {"", "*", "/metrics/", "/metricsx", "metrics", "//metrics", "/Metrics", "?/metrics",
                                   "http:/metrics", "https://localhost/metrics"})
    EXPECT_EQ(page_of(target), std::nullopt) << target;
}

TEST(HttpPages, the_index_names_the_others_and_asks_nobody) {
  EXPECT_FALSE(needs_vitals(Page::index));
  const PageText page = show(Page::index, {}, nobody);
  EXPECT_EQ(page.status, 200U);
  for (const char* const name : {"/metrics", "/healthz", "/readyz", LOCKD_VERSION})
    EXPECT_NE(page.body.find(name), std::string::npos) << name;
}

TEST(HttpPages, metrics_as_long_as_the_first_thread_answers) {
  EXPECT_TRUE(needs_vitals(Page::metrics));
  const PageText page = show(Page::metrics, silent(1), nobody);
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(page.body.find("\nlockd_connections 0\n"), std::string::npos);
  EXPECT_EQ(show(Page::metrics, silent(0), nobody).status, 503U);
}

TEST(HttpPages, healthy_if_every_thread_answers) {
  EXPECT_TRUE(needs_vitals(Page::health));
  EXPECT_EQ(show(Page::health, well(), nobody).body, "ok\n");
  EXPECT_EQ(show(Page::health, well(), nobody).status, 200U);
  for (const std::size_t thread : {0U, 3U}) {
    const PageText page = show(Page::health, silent(thread), nobody);
    EXPECT_EQ(page.status, 503U);
    EXPECT_EQ(page.body, "I/O thread " + std::to_string(thread) + " does not answer\n");
  }
}

TEST(HttpPages, S4_ready_if_connections_are_accepted) {
  EXPECT_TRUE(needs_vitals(Page::readiness));
  EXPECT_EQ(show(Page::readiness, well(), nobody).status, 200U);
  EXPECT_EQ(show(Page::readiness, silent(1), nobody).status, 200U);
  EXPECT_EQ(show(Page::readiness, silent(0), nobody).status, 503U);
  Vitals paused = well();
  paused.snapshot->accepts = false;
  const PageText page = show(Page::readiness, paused, nobody);
  EXPECT_EQ(page.status, 503U);
  EXPECT_EQ(page.body, "accepting pauses: out of descriptors or memory\n");
  EXPECT_EQ(show(Page::health, paused, nobody).status, 200U);
}

TEST(HttpPages, other_pages) {
  EXPECT_EQ(no_such_page().status, 404U);
  EXPECT_EQ(no_such_page().body, "no such page: there are /metrics, /healthz and /readyz\n");
  EXPECT_EQ(stopping_page().status, 503U);
  EXPECT_EQ(stopping_page().body, "stopping\n");
}

}  // namespace
}  // namespace lockd::server
