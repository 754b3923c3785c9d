// The watchdog: only when all threads have answered is it said so. (How they are asked: pulse_test.cc.)
#include "server/watchdog.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

namespace asio = boost::asio;

class WatchdogTest : public testing::Test {
 protected:
  void run_both_until_heard(int times) {
    while (heard_ < times) {
      first_.run_one();
      second_.restart();
      second_.poll();
    }
  }

  int heard_ = 0;
  asio::io_context first_;
  asio::io_context second_;
  Watchdog watchdog_{{&first_, &second_}, std::chrono::microseconds(2), [this] { ++heard_; }};
};

TEST_F(WatchdogTest, is_heard_again_and_again) { run_both_until_heard(3); }

TEST_F(WatchdogTest, a_stuck_thread_keeps_it_silent_until_it_comes_back) {
  for (int handler = 0; handler < 100; ++handler) first_.run_one();
  EXPECT_EQ(heard_, 0);
  run_both_until_heard(2);
}

}  // namespace
}  // namespace lockd::server
