// Deadlines over a timer and a clock of the test's own.
#include "server/deadlines.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace lockd::server {
namespace {

using namespace std::chrono_literals;

// A loop whose time passes when a test says so.
struct FakeLoop {
  std::chrono::steady_clock::time_point now{1h};
  std::deque<std::function<void()>> handlers;

  void run() {
    while (!handlers.empty()) {
      const auto handler = std::move(handlers.front());
      handlers.pop_front();
      handler();
    }
  }
};

FakeLoop* loop = nullptr;

struct FakeClock {
  using time_point = std::chrono::steady_clock::time_point;
  static time_point now() { return loop->now; }
};

// As Asio's: a wait that is moved or dropped is told so, from the loop.
class FakeTimer {
 public:
  using clock_type = FakeClock;  // NOLINT(readability-identifier-naming): as Asio names it

  explicit FakeTimer(FakeLoop& /*context*/) { the_only = this; }
  FakeTimer(const FakeTimer&) = delete;
  FakeTimer& operator=(const FakeTimer&) = delete;
  ~FakeTimer() {
    cancel();
    the_only = nullptr;
  }

  void expires_at(FakeClock::time_point at) {
    cancel();
    at_ = at;
    ++times_set;
  }
  void async_wait(std::function<void(const boost::system::error_code&)> handler) { handler_ = std::move(handler); }

  // Queues its handler, if its time has come.
  void fire() {
    if (handler_ && at_ <= loop->now) loop->handlers.emplace_back([call = std::exchange(handler_, {})] { call({}); });
  }

  int times_set = 0;
  static FakeTimer* the_only;

 private:
  void cancel() {
    if (!handler_) return;
    loop->handlers.emplace_back([call = std::exchange(handler_, {})] { call(boost::asio::error::operation_aborted); });
  }

  FakeClock::time_point at_;
  std::function<void(const boost::system::error_code&)> handler_;
};

FakeTimer* FakeTimer::the_only = nullptr;

class DeadlinesTest : public testing::Test {
 protected:
  struct Owner {
    Owner(DeadlinesTest& its_test, int its_number)
        : test(its_test), number(its_number), deadline(*this, [](Owner& self) { self.test.expired(self); }) {}

    DeadlinesTest& test;
    int number;
    Deadlines<Owner, FakeTimer>::Deadline deadline;
  };

  DeadlinesTest() { loop = &loop_; }
  ~DeadlinesTest() override {
    deadlines_.reset();
    loop = nullptr;
  }

  void expired(const Owner& owner) {
    EXPECT_FALSE(owner.deadline.is_set());
    numbers_.push_back(owner.number);
    if (then_) then_(owner);
  }

  Owner& owner(int number) { return owners_.emplace_back(*this, number); }

  void set(Owner& owner, FakeClock::time_point::duration delay) { deadlines_->set(owner.deadline, loop_.now + delay); }

  // The numbers of those that expired meanwhile, in that order.
  std::vector<int> pass(FakeClock::time_point::duration time) {
    numbers_.clear();
    loop_.now += time;
    FakeTimer::the_only->fire();
    loop_.run();
    return std::exchange(numbers_, {});
  }

  FakeLoop loop_;
  std::deque<Owner> owners_;
  std::optional<Deadlines<Owner, FakeTimer>> deadlines_{loop_};
  std::vector<int> numbers_;
  std::function<void(const Owner&)> then_;
};

using Numbers = std::vector<int>;

TEST_F(DeadlinesTest, W1_one_expires_at_its_time_and_not_before) {
  set(owner(1), 10ms);
  EXPECT_TRUE(owners_[0].deadline.is_set());
  EXPECT_EQ(pass(10ms - 1ns), Numbers{});
  EXPECT_EQ(pass(1ns), Numbers{1});
  EXPECT_EQ(pass(1h), Numbers{});
}

TEST_F(DeadlinesTest, they_come_in_their_order_in_whichever_they_were_set) {
  set(owner(3), 30ms);
  set(owner(1), 10ms);
  set(owner(2), 20ms);
  EXPECT_EQ(pass(10ms), Numbers{1});
  EXPECT_EQ(pass(20ms), (Numbers{2, 3}));
  EXPECT_TRUE(deadlines_->is_empty());
}

TEST_F(DeadlinesTest, one_that_is_lifted_does_not_come) {
  set(owner(1), 10ms);
  set(owner(2), 20ms);
  owners_[0].deadline.lift();
  owners_[0].deadline.lift();
  EXPECT_FALSE(owners_[0].deadline.is_set());
  EXPECT_EQ(pass(15ms), Numbers{}) << "the timer fires for nothing";
  EXPECT_EQ(pass(5ms), Numbers{2});
}

TEST_F(DeadlinesTest, one_that_is_set_again_has_moved) {
  set(owner(1), 10ms);
  set(owners_[0], 20ms);
  set(owner(2), 20ms);
  set(owners_[1], 5ms);
  EXPECT_EQ(pass(5ms), Numbers{2});
  EXPECT_EQ(pass(14ms), Numbers{});
  EXPECT_EQ(pass(1ms), Numbers{1});
}

TEST_F(DeadlinesTest, waits_that_end_before_their_time_leave_the_timer_alone) {
  for (int i = 0; i < 1000; ++i) {
    Owner waits(*this, i);
    set(waits, 60s);
    loop_.now += 1us;
  }
  EXPECT_EQ(FakeTimer::the_only->times_set, 1);
}

TEST_F(DeadlinesTest, a_firing_that_was_on_its_way_as_an_earlier_deadline_came_is_harmless) {
  set(owner(1), 10ms);
  loop_.now += 10ms;
  FakeTimer::the_only->fire();  // its handler has not run yet
  set(owner(2), -5ms);
  set(owner(3), 10ms);
  loop_.run();
  EXPECT_EQ(std::exchange(numbers_, {}), (Numbers{2, 1}));
  EXPECT_EQ(pass(10ms), Numbers{3});
}

TEST_F(DeadlinesTest, an_owner_may_go_or_set_another_as_it_expires) {
  auto first = std::make_unique<Owner>(*this, 1);
  auto second = std::make_unique<Owner>(*this, 2);
  Owner& third = owner(3);
  then_ = [&](const Owner& expired) {
    if (expired.number != 1) return;
    first.reset();
    second.reset();
    set(third, 0ms);
  };
  set(*first, 10ms);
  set(*second, 10ms);
  EXPECT_EQ(pass(10ms), (Numbers{1, 3}));
}

TEST_F(DeadlinesTest, a_crowd_comes_in_passes) {
  constexpr std::size_t at_once = Deadlines<Owner, FakeTimer>::expired_at_once;
  for (std::size_t i = 0; i < 2 * at_once + 1; ++i) set(owner(1), 10ms);
  EXPECT_EQ(pass(10ms).size(), at_once);
  EXPECT_EQ(pass(0ms).size(), at_once);
  EXPECT_EQ(pass(0ms).size(), 1U);
}

TEST_F(DeadlinesTest, its_end_lifts_them_all) {
  set(owner(1), 10ms);
  set(owner(2), 20ms);
  deadlines_.reset();
  for (const Owner& each : owners_) EXPECT_FALSE(each.deadline.is_set());
  loop_.run();
  EXPECT_EQ(numbers_, Numbers{});
}

}  // namespace
}  // namespace lockd::server
