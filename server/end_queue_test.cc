// Ends that come together take turns, and the event loop goes round meanwhile.
#include "server/end_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <string>

namespace lockd::server {
namespace {

// Holds so many locks, and writes its name into a log at each slice of its end.
struct Holder {
  Holder(char holder_name, std::size_t held, std::string& written) : name(holder_name), locks(held), log(written) {}

  bool end_some(std::size_t locks_max) {
    log.push_back(name);
    locks -= std::min(locks, locks_max);
    return locks == 0;
  }

  char name;
  std::size_t locks;
  std::string& log;
};

using Queue = EndQueue<Holder>;

class EndQueueTest : public testing::Test {
 protected:
  void end(char name, std::size_t locks = 1) { queue_.push(std::make_shared<Holder>(name, locks, log_)); }

  boost::asio::io_context context_{1};
  Queue queue_{context_};
  std::string log_;
};

TEST_F(EndQueueTest, S2_an_end_happens_at_once) {
  end('a');
  EXPECT_EQ(log_, "a");
}

TEST_F(EndQueueTest, S2_a_crowd_ends_a_share_a_pass_and_others_come_between) {
  for (std::size_t i = 0; i < 2 * Queue::slices_of_pass + 1; ++i) end('a');
  boost::asio::post(context_, [this] { log_.push_back('.'); });
  boost::asio::post(context_, [this] { boost::asio::post(context_, [this] { log_.push_back('.'); }); });
  context_.run();
  const std::string share(Queue::slices_of_pass, 'a');
  EXPECT_EQ(log_, share + share + "." + "a" + ".");
}

TEST_F(EndQueueTest, S2_a_long_end_takes_turns_with_short_ones) {
  end('L', (Queue::slices_of_pass + 2) * Queue::locks_of_slice);
  end('a');
  end('b');
  context_.run();
  EXPECT_EQ(log_, std::string(Queue::slices_of_pass, 'L') + "LabL");
}

TEST_F(EndQueueTest, a_share_that_was_spent_comes_back) {
  for (std::size_t i = 0; i < Queue::slices_of_pass; ++i) end('a');
  context_.run();
  log_.clear();
  end('b');
  EXPECT_EQ(log_, "b");
}

TEST_F(EndQueueTest, what_is_ending_is_kept_and_then_let_go) {
  const auto holder = std::make_shared<Holder>('a', (Queue::slices_of_pass + 1) * Queue::locks_of_slice, log_);
  queue_.push(holder);
  EXPECT_EQ(holder.use_count(), 2);
  context_.run();
  EXPECT_EQ(holder.use_count(), 1);
  EXPECT_EQ(holder->locks, 0U);
}

TEST_F(EndQueueTest, a_context_that_never_runs_again_leaves_ends_undone) {
  for (std::size_t i = 0; i < Queue::slices_of_pass + 1; ++i) end('a');
  EXPECT_EQ(log_, std::string(Queue::slices_of_pass, 'a'));
}

}  // namespace
}  // namespace lockd::server
