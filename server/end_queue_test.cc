// Ends that come together take turns, and the event loop goes round meanwhile.
#include "server/end_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace lockd::server {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Holds so many locks. A slice of its end writes its name into a log, and takes some time.
struct Holder {
  bool end_some(std::size_t locks_max) {
    log.push_back(name);
    now += slice_takes;
    locks -= std::min(locks, locks_max);
    return locks == 0;
  }

  char name;
  std::size_t locks;
  Clock::duration slice_takes;
  std::string& log;
  Clock::time_point& now;
};

using Queue = EndQueue<Holder>;

class EndQueueTest : public testing::Test {
 protected:
  std::shared_ptr<Holder> holder(char name, std::size_t locks, Clock::duration slice_takes = {}) {
    return std::make_shared<Holder>(Holder{name, locks, slice_takes, log_, now_});
  }
  void end(char name, std::size_t locks = 1) { queue_.push(holder(name, locks)); }

  boost::asio::io_context context_{1};
  Clock::time_point now_;  // of the queue
  Queue queue_{context_, [this] { return now_; }};
  std::string log_;
};

TEST_F(EndQueueTest, S2_an_end_happens_at_once) {
  end('a');
  EXPECT_EQ(log_, "a");
}

TEST_F(EndQueueTest, S2_a_crowd_ends_a_share_a_pass_and_others_come_between) {
  for (std::size_t i = 0; i < 2 * Queue::slices_at_least + 1; ++i) end('a');
  boost::asio::post(context_, [this] { log_.push_back('.'); });
  boost::asio::post(context_, [this] { boost::asio::post(context_, [this] { log_.push_back('.'); }); });
  context_.run();
  const std::string share(Queue::slices_at_least, 'a');
  EXPECT_EQ(log_, share + share + "." + "a" + ".");
}

TEST_F(EndQueueTest, S2_a_long_end_takes_turns_with_short_ones) {
  end('L', (Queue::slices_at_least + 2) * Queue::locks_of_slice);
  end('a');
  end('b');
  context_.run();
  EXPECT_EQ(log_, std::string(Queue::slices_at_least, 'L') + "LabL");
}

TEST_F(EndQueueTest, S2_where_the_others_keep_the_thread_busy_ends_get_as_much_time_as_they) {
  for (int i = 0; i < 100; ++i) queue_.push(holder('a', 1, 1ms));
  boost::asio::post(context_, [this] { now_ += 20ms; });
  context_.run_one();  // the next share of the ends, the others having taken no time yet
  EXPECT_EQ(log_.size(), 2 * Queue::slices_at_least);
  context_.run_one();  // the others
  context_.run_one();  // the share after that
  EXPECT_EQ(log_.size(), 2 * Queue::slices_at_least + 20);
}

TEST_F(EndQueueTest, a_share_that_was_spent_comes_back) {
  for (std::size_t i = 0; i < Queue::slices_at_least; ++i) end('a');
  context_.run();
  log_.clear();
  end('b');
  EXPECT_EQ(log_, "b");
}

TEST_F(EndQueueTest, what_is_ending_is_kept_and_then_let_go) {
  const auto ending = holder('a', (Queue::slices_at_least + 1) * Queue::locks_of_slice);
  queue_.push(ending);
  EXPECT_EQ(ending.use_count(), 2);
  context_.run();
  EXPECT_EQ(ending.use_count(), 1);
  EXPECT_EQ(ending->locks, 0U);
}

TEST_F(EndQueueTest, a_context_that_never_runs_again_leaves_ends_undone) {
  for (std::size_t i = 0; i < Queue::slices_at_least + 1; ++i) end('a');
  EXPECT_EQ(log_, std::string(Queue::slices_at_least, 'a'));
}

}  // namespace
}  // namespace lockd::server
