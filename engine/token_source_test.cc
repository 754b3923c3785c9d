// TokenSource: no token twice, none beyond the end, none lost where too few are left; also with threads at once.
#include "engine/token_source.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

TEST(TokenSource, T1_ranges_follow_one_another) {
  TokenSource source(10, 100);
  EXPECT_EQ(source.next(), 10U);
  EXPECT_EQ(source.draw(5), (TokenRange{10, 15}));
  EXPECT_EQ(source.draw(1), (TokenRange{15, 16}));
  EXPECT_EQ(source.next(), 16U);
  EXPECT_EQ(source.end(), 100U);
}

TEST(TokenSource, T1_the_last_range_is_what_is_left) {
  TokenSource source(10, 20);
  EXPECT_EQ(source.draw(7), (TokenRange{10, 17}));
  EXPECT_EQ(source.draw(7, 4), std::nullopt);
  EXPECT_EQ(source.next(), 17U);  // nothing is lost
  EXPECT_EQ(source.draw(7, 3), (TokenRange{17, 20}));
  EXPECT_EQ(source.draw(1), std::nullopt);
}

TEST(TokenSource, T1_a_raised_end_has_more) {
  TokenSource source(1, 1);
  EXPECT_EQ(source.draw(5), std::nullopt);
  source.raise_end(4);
  EXPECT_EQ(source.draw(5), (TokenRange{1, 4}));
  source.raise_end(4);
  EXPECT_EQ(source.draw(5), std::nullopt);
  source.raise_end(5);
  EXPECT_EQ(source.draw(5), (TokenRange{4, 5}));
}

TEST(TokenSource, T1_the_largest_token_is_the_last) {
  TokenSource source(token_limit - 2, token_limit);
  EXPECT_EQ(source.draw(UINT64_MAX), (TokenRange{token_limit - 2, token_limit}));
  EXPECT_EQ(source.draw(UINT64_MAX), std::nullopt);
}

TEST(TokenSource, a_copy_goes_on_alone) {
  TokenSource source(1, 100);
  source.draw(10);
  TokenSource copy(source);
  EXPECT_EQ(copy.draw(5), (TokenRange{11, 16}));
  EXPECT_EQ(source.draw(5), (TokenRange{11, 16}));
}

TEST(TokenSource, T1_a_range_is_taken_from_until_none_is_left) {
  TokenRange range{5, 7};
  EXPECT_EQ(range.left(), 2U);
  EXPECT_EQ(range.take(), 5U);
  EXPECT_EQ(range.take(), 6U);
  EXPECT_EQ(range.left(), 0U);
  EXPECT_EQ(TokenRange{}.left(), 0U);
}

TEST(TokenSourceDeathTest, misuse_aborts_with_a_message) {
  EXPECT_DEATH(TokenSource(0, 1), "tokens are from 1 to 2\\^53 - 1");
  EXPECT_DEATH(TokenSource(2, 1), "tokens are from 1 to 2\\^53 - 1");
  EXPECT_DEATH(TokenSource(1, token_limit + 1), "tokens are from 1 to 2\\^53 - 1");
  TokenSource source(1, 10);
  EXPECT_DEATH(source.raise_end(9), "only raised");
  EXPECT_DEATH(source.raise_end(token_limit + 1), "up to 2\\^53");
  EXPECT_DEATH(source.draw(0), "at least one token is drawn");
  EXPECT_DEATH(source.draw(1, 2), "at least one token is drawn");
  TokenRange empty;
  EXPECT_DEATH(empty.take(), "a token is taken from those that are left");
}

// Draws until no more can come. What one thread draws must grow.
std::vector<TokenRange> draw_all(TokenSource& source, const std::atomic<bool>& raised_to_the_last,
                                 std::uint64_t wanted) {
  std::vector<TokenRange> drawn;
  while (true) {
    const bool was_last = raised_to_the_last.load();
    const auto range = source.draw(wanted);
    if (range) drawn.push_back(*range);
    if (!range && was_last) return drawn;
  }
}

TEST(TokenSource, T1_threads_that_draw_while_the_end_is_raised_get_each_token_once) {
  constexpr std::uint64_t last_end = 200000;
  constexpr std::array<std::uint64_t, 4> wanted = {1, 3, 7, 50};
  TokenSource source(1, 1);
  std::atomic<bool> raised_to_the_last = false;
  std::array<std::vector<TokenRange>, 4> drawn;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { drawn[i] = draw_all(source, raised_to_the_last, wanted[i]); });
  }
  for (std::uint64_t end = 100; end <= last_end; end += 100) source.raise_end(end);
  raised_to_the_last = true;
  for (std::thread& thread : threads) thread.join();

  std::vector<TokenRange> all;
  for (const auto& of_one : drawn) {
    EXPECT_TRUE(std::ranges::is_sorted(of_one, {}, &TokenRange::next));
    all.insert(all.end(), of_one.begin(), of_one.end());
  }
  std::ranges::sort(all, {}, &TokenRange::next);
  std::uint64_t next = 1;
  for (const TokenRange& range : all) {
    ASSERT_EQ(range.next, next);
    ASSERT_GT(range.end, range.next);
    next = range.end;
  }
  EXPECT_EQ(next, last_end);
}

}  // namespace
}  // namespace lockd::engine
