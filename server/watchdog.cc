#include "server/watchdog.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace asio = boost::asio;

Watchdog::Watchdog(const std::vector<asio::io_context*>& threads, std::chrono::microseconds timeout,
                   std::function<void()> all_answered)
    : period_(timeout / 2),
      all_answered_(std::move(all_answered)),
      timer_(*threads.front()),
      pulse_(*threads.front(), threads, {}, std::chrono::ceil<std::chrono::milliseconds>(timeout)) {
  LOCKD_CHECK(timeout.count() > 0, "a timeout of nothing would keep the thread busy");
  asio::co_spawn(*threads.front(), watch(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

asio::awaitable<void> Watchdog::watch() {
  while (true) {
    timer_.expires_after(period_);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    const Vitals vitals = co_await pulse_.ask();
    if (vitals.silent.empty()) all_answered_();
  }
}

}  // namespace lockd::server
