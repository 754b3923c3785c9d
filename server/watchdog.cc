#include "server/watchdog.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace asio = boost::asio;

RollCall::RollCall(std::vector<asio::io_context*> threads, std::function<void()> all_answered)
    : threads_(std::move(threads)), all_answered_(std::move(all_answered)) {
  LOCKD_CHECK(!threads_.empty(), "somebody can answer");
}

void RollCall::call() {
  if (missing_.load() != 0) return;
  missing_.store(threads_.size());
  for (asio::io_context* thread : threads_) asio::post(*thread, [this] { answer(); });
}

void RollCall::answer() {
  const std::size_t missing_before = missing_.fetch_sub(1);
  LOCKD_CHECK(missing_before != 0, "each is asked once in a call");
  if (missing_before == 1) all_answered_();
}

Watchdog::Watchdog(std::vector<asio::io_context*> threads, std::chrono::microseconds timeout,
                   std::function<void()> all_answered)
    : period_(timeout / 2), timer_(*threads.front()), roll_call_(std::move(threads), std::move(all_answered)) {
  LOCKD_CHECK(timeout.count() > 0, "a timeout of nothing would keep the thread busy");
  wait();
}

void Watchdog::wait() {
  timer_.expires_after(period_);
  timer_.async_wait([this](const boost::system::error_code&) {
    roll_call_.call();
    wait();
  });
}

}  // namespace lockd::server
