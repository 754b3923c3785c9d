// Who answers, who does not, and how often the threads are asked.
#include "server/pulse.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Event loops that are run by hand: a thread that is not run is silent.
class PulseTest : public testing::Test {
 protected:
  static constexpr auto patience = 40ms;

  std::shared_ptr<std::optional<Vitals>> ask() {
    auto answer = std::make_shared<std::optional<Vitals>>();
    asio::co_spawn(own, keep_answer(answer), asio::detached);
    return answer;
  }

  asio::awaitable<void> keep_answer(std::shared_ptr<std::optional<Vitals>> answer) { *answer = co_await pulse.ask(); }

  /// Runs them, and the own one, until the answer has come: after each step of the own one, so that those which run
  /// answer before the patience is over, however slow the machine is.
  Vitals answered(const std::shared_ptr<std::optional<Vitals>>& answer, const std::vector<asio::io_context*>& running) {
    for (int i = 0; !*answer && i < 100'000; ++i) {
      own.restart();
      own.run_one_for(1ms);
      for (asio::io_context* const thread : running) {
        thread->restart();
        thread->poll();
      }
    }
    return answer->value();
  }

  Snapshot take() {
    Snapshot snapshot;
    snapshot.connections = ++taken;
    if (when_taken) std::exchange(when_taken, nullptr)();
    return snapshot;
  }

  std::uint64_t taken = 0;
  std::function<void()> when_taken;  // once, between a snapshot and its way to who asked
  asio::io_context first, second, own;
  Pulse pulse{own, {&first, &second}, [this] { return take(); }, patience};
};

TEST_F(PulseTest, all_answer) {
  const Vitals vitals = answered(ask(), {&first, &second});
  EXPECT_EQ(vitals.silent, std::vector<std::size_t>());
  ASSERT_TRUE(vitals.snapshot);
  EXPECT_EQ(vitals.snapshot->connections, 1U);
}

TEST_F(PulseTest, who_does_not_answer_is_named) {
  const Vitals without_second = answered(ask(), {&first});
  EXPECT_EQ(without_second.silent, std::vector<std::size_t>{1});
  EXPECT_TRUE(without_second.snapshot);
}

TEST_F(PulseTest, without_the_first_thread_there_are_no_numbers) {
  const Vitals without_first = answered(ask(), {&second});
  EXPECT_EQ(without_first.silent, std::vector<std::size_t>{0});
  EXPECT_FALSE(without_first.snapshot);
}

TEST_F(PulseTest, who_comes_back_counts_again) {
  answered(ask(), {});
  const Vitals vitals = answered(ask(), {&first, &second});
  EXPECT_EQ(vitals.silent, std::vector<std::size_t>());
  EXPECT_TRUE(vitals.snapshot);
}

/// However long a thread is silent, and however many ask: what waits for it does not pile up.
TEST_F(PulseTest, one_question_before_a_thread_at_most) {
  for (int i = 0; i < 5; ++i) answered(ask(), {&second});
  first.restart();
  EXPECT_EQ(first.poll(), 1U);
  EXPECT_EQ(taken, 1U);
}

TEST_F(PulseTest, those_who_ask_at_once_share_a_question) {
  std::vector<std::shared_ptr<std::optional<Vitals>>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(ask());
  for (const auto& answer : answers) EXPECT_EQ(answered(answer, {&first, &second}).snapshot->connections, 1U);
  EXPECT_EQ(taken, 1U);
}

/// Who asks when a question is on its way gets an answer to a later one: his numbers are not older than his asking.
TEST_F(PulseTest, an_answer_is_not_older_than_its_question) {
  const auto early = ask();
  while (first.poll() == 0) {  // the early one's numbers are taken
    own.restart();
    own.run_one_for(1ms);
    first.restart();
  }
  const auto late = ask();
  EXPECT_EQ(answered(early, {&first, &second}).snapshot->connections, 1U);
  EXPECT_EQ(answered(late, {&first, &second}).snapshot->connections, 2U);
}

/// A thread that was silent gives its answer while the next question is asked: it is none to that one.
TEST_F(PulseTest, a_late_answer_is_none_to_a_later_question) {
  answered(ask(), {&second});
  std::shared_ptr<std::optional<Vitals>> late;
  when_taken = [&] {
    late = ask();
    do {  // until the second thread is asked
      own.restart();
      own.run_one_for(1ms);
      second.restart();
    } while (second.poll() == 0);
  };
  first.restart();
  first.poll();
  EXPECT_EQ(answered(late, {&first, &second}).snapshot->connections, 2U);
}

TEST_F(PulseTest, a_pause_between_questions) {
  const auto start = Pulse::Clock::now();
  for (int i = 0; i < 4; ++i) answered(ask(), {&first, &second});
  EXPECT_GE(Pulse::Clock::now() - start, 3 * Pulse::pause);
}

}  // namespace
}  // namespace lockd::server
