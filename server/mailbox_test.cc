// Wake-ups are delivered in their order, none within another's delivery, and others have their turn between crowds.
#include "server/mailbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/requests.h"

namespace lockd::server {
namespace {

class MailboxTest : public testing::Test {
 protected:
  static engine::Wakeup wakeup(std::uint64_t session) { return {SessionId{session}, 0, {Outcome::lock_get_success}}; }

  void deliver(const engine::Wakeup& wakeup) {
    EXPECT_FALSE(delivering_) << "one delivery within another";
    delivering_ = true;
    delivered_.push_back(static_cast<std::uint64_t>(wakeup.session));
    if (react_) react_(wakeup);
    delivering_ = false;
  }

  boost::asio::io_context context_{1};
  Mailbox<std::mutex> mailbox_{context_, [this](const engine::Wakeup& wakeup) { deliver(wakeup); }};
  std::function<void(const engine::Wakeup&)> react_;
  std::vector<std::uint64_t> delivered_;
  bool delivering_ = false;
};

TEST_F(MailboxTest, W4_nothing_is_delivered_at_once) {
  mailbox_.post(wakeup(1));
  EXPECT_TRUE(delivered_.empty());
  context_.run();
  EXPECT_EQ(delivered_, std::vector<std::uint64_t>{1});
}

TEST_F(MailboxTest, W4_a_chain_does_not_nest) {
  react_ = [this](const engine::Wakeup& woken) {
    const auto number = static_cast<std::uint64_t>(woken.session);
    if (number < 15'000) mailbox_.post(wakeup(number + 1));
  };
  mailbox_.post(wakeup(1));
  context_.run();
  EXPECT_EQ(delivered_.size(), 15'000U);
  EXPECT_TRUE(std::ranges::is_sorted(delivered_));
}

TEST_F(MailboxTest, W4_who_comes_behind_a_crowd_is_not_lost) {
  constexpr std::uint64_t crowd = 10'000;  // more than memory is kept for
  for (std::uint64_t i = 1; i <= crowd; ++i) mailbox_.post(wakeup(i));
  context_.run();
  for (std::uint64_t i = crowd + 1; i <= crowd + 2; ++i) {
    mailbox_.post(wakeup(i));
    context_.restart();
    context_.run();
  }
  EXPECT_EQ(delivered_.size(), crowd + 2);
  EXPECT_TRUE(std::ranges::is_sorted(delivered_));
}

TEST_F(MailboxTest, W4_a_crowd_lets_others_have_their_turn) {
  constexpr std::uint64_t crowd = 3 * Mailbox<std::mutex>::delivered_at_once + 1;
  for (std::uint64_t i = 1; i <= crowd; ++i) mailbox_.post(wakeup(i));
  std::size_t delivered_before_the_other = 0;
  boost::asio::post(context_, [&] { delivered_before_the_other = delivered_.size(); });
  context_.run();
  EXPECT_EQ(delivered_before_the_other, Mailbox<std::mutex>::delivered_at_once);
  EXPECT_EQ(delivered_.size(), crowd);
  EXPECT_TRUE(std::ranges::is_sorted(delivered_));
}

TEST_F(MailboxTest, W4_other_threads_post_too) {
  constexpr std::uint64_t each = 10'000;
  const auto post_all = [this](std::uint64_t first) {
    for (std::uint64_t i = 0; i < each; ++i) mailbox_.post(wakeup(first + i));
  };
  std::thread one(post_all, 1);
  std::thread other(post_all, 1 + each);
  while (delivered_.size() < 2 * each) {
    context_.restart();
    context_.poll();
    std::this_thread::yield();
  }
  one.join();
  other.join();
  std::ranges::sort(delivered_);
  std::vector<std::uint64_t> all(2 * each);
  std::iota(all.begin(), all.end(), 1);
  EXPECT_EQ(delivered_, all);
}

}  // namespace
}  // namespace lockd::server
