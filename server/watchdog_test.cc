// Roll calls: only when all threads have answered is it said so.
#include "server/watchdog.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

namespace asio = boost::asio;

class RollCallTest : public testing::Test {
 protected:
  asio::io_context first_;
  asio::io_context second_;
  int heard_ = 0;
  RollCall roll_call_{{&first_, &second_}, [this] { ++heard_; }};
};

TEST_F(RollCallTest, is_heard_when_the_last_has_answered) {
  roll_call_.call();
  first_.poll();
  EXPECT_EQ(heard_, 0);
  second_.poll();
  EXPECT_EQ(heard_, 1);
}

TEST_F(RollCallTest, a_stuck_thread_is_not_asked_again_and_keeps_all_silent) {
  for (int i = 0; i < 3; ++i) {
    roll_call_.call();
    first_.restart();
    first_.poll();
  }
  EXPECT_EQ(heard_, 0);
  EXPECT_EQ(second_.poll(), 1U);
  EXPECT_EQ(heard_, 1);
}

TEST_F(RollCallTest, goes_on_when_the_thread_is_no_longer_stuck) {
  for (int expected = 1; expected < 4; ++expected) {
    roll_call_.call();
    for (asio::io_context* thread : {&second_, &first_}) {
      thread->restart();
      thread->poll();
    }
    EXPECT_EQ(heard_, expected);
  }
}

TEST(Watchdog, calls_again_and_again) {
  asio::io_context only;
  int heard = 0;
  const Watchdog watchdog({&only}, std::chrono::microseconds(2), [&] {
    if (++heard == 3) only.stop();
  });
  only.run();
  EXPECT_EQ(heard, 3);
}

}  // namespace
}  // namespace lockd::server
