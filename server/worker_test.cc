// When a thread reads its clock, by one that the test sets.
#include "server/worker.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>

#include "server/test_server.h"

namespace lockd::server {
namespace {

/// Says what the test sets.
struct TestClock {
  using time_point = std::chrono::steady_clock::time_point;

  static time_point now() { return time_point(std::chrono::milliseconds(now_ms)); }

  inline static std::int64_t now_ms = 0;
};

/// Never fires.
struct TestTimer {
  using clock_type = TestClock;

  explicit TestTimer(boost::asio::io_context& /*context*/) {}
};

struct TestPoller {
  explicit TestPoller(boost::asio::io_context& /*context*/) {}

  std::uint64_t current_pass() const { return pass; }

  std::uint64_t pass = 0;
};

/// Chooses them.
struct TestMutex : engine::NullMutex {};

}  // namespace

template <>
struct Edge<TestMutex> {
  using Context = boost::asio::io_context;
  using Poller = TestPoller;
  using Timer = TestTimer;
};

namespace {

class WorkerClock : public testing::Test {
 protected:
  engine::Moment seen_at(std::int64_t now_ms, std::size_t input_bytes = 0) {
    TestClock::now_ms = now_ms;
    return worker_.services_now(input_bytes).turn.now;
  }

  TestServer<TestMutex> server_;
  Worker<TestMutex> worker_{server_.services, std::chrono::seconds(1)};
};

TEST_F(WorkerClock, is_read_once_in_a_pass) {
  worker_.poller.pass = 1;
  EXPECT_EQ(seen_at(5), 5U);
  EXPECT_EQ(seen_at(6), 5U);
  worker_.poller.pass = 2;
  EXPECT_EQ(seen_at(7), 7U);
}

TEST_F(WorkerClock, is_read_for_each_call_outside_of_a_pass) {
  EXPECT_EQ(seen_at(5), 5U);
  EXPECT_EQ(seen_at(6), 6U);
  worker_.poller.pass = 1;
  EXPECT_EQ(seen_at(7), 7U);
  worker_.poller.pass = 0;
  EXPECT_EQ(seen_at(8), 8U);
}

TEST_F(WorkerClock, is_read_again_in_a_pass_behind_so_much_input) {
  worker_.poller.pass = 1;
  EXPECT_EQ(seen_at(5, input_bytes_of_a_moment - 1), 5U);
  EXPECT_EQ(seen_at(6, 1), 5U) << "what comes now is not executed yet";
  EXPECT_EQ(seen_at(7, 1), 7U);
  EXPECT_EQ(seen_at(8, read_bytes_max), 7U);
  EXPECT_EQ(seen_at(9), 9U);
  EXPECT_EQ(seen_at(10), 9U);
}

TEST_F(WorkerClock, counts_the_input_of_each_pass_by_itself) {
  worker_.poller.pass = 1;
  EXPECT_EQ(seen_at(5, input_bytes_of_a_moment - 1), 5U);
  worker_.poller.pass = 2;
  EXPECT_EQ(seen_at(6, 1), 6U);
  EXPECT_EQ(seen_at(7), 6U);
}

}  // namespace
}  // namespace lockd::server
