// LineLengths against lines whose lengths are simply known.
#include "engine/line_lengths.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

TEST(LineLengths, E3_knows_the_longest_of_lines_that_grow_and_shrink) {
  std::mt19937 random(1);
  LineLengths lengths;
  std::vector<std::uint32_t> lines(20);
  for (int i = 0; i < 20000; ++i) {
    std::uint32_t& line = lines[random() % lines.size()];
    const bool leans_up = i / 2000 % 2 == 0;
    const bool grows = line == 0 || random() % 3 < (leans_up ? 2U : 1U);
    if (grows) lengths.reserve(line + 1);
    grows ? lengths.grew_to(++line) : lengths.shrank_to(--line);
    ASSERT_EQ(lengths.longest(), std::ranges::max(lines));
    for (std::uint32_t length = 1; length <= lengths.longest(); ++length) {
      ASSERT_EQ(lengths.lines_of(length), std::ranges::count(lines, length));
    }
  }
}

TEST(LineLengths, E3_a_single_line_grows_and_shrinks_to_nothing) {
  LineLengths lengths;
  EXPECT_EQ(lengths.longest(), 0U);
  EXPECT_EQ(lengths.lines_of(1), 0U);
  for (std::uint32_t length = 1; length <= 15000; ++length) {
    lengths.reserve(length);
    lengths.grew_to(length);
    ASSERT_EQ(lengths.longest(), length);
  }
  for (std::uint32_t length = 15000; length > 0; --length) {
    lengths.shrank_to(length - 1);
    ASSERT_EQ(lengths.longest(), length - 1);
  }
}

TEST(LineLengths, E3_no_line_is_longer_than_any_that_was_reserved) {
  LineLengths lengths;
  lengths.reserve(1);
  lengths.grew_to(1);
  EXPECT_EQ(lengths.lines_of(1), 1U);
  EXPECT_EQ(lengths.lines_of(15000), 0U);
}

TEST(LineLengthsDeathTest, misuse_aborts_with_a_message) {
  LineLengths lengths;
  EXPECT_DEATH(lengths.grew_to(1), "reserve\\(\\) comes before grew_to\\(\\)");
  EXPECT_DEATH(lengths.shrank_to(0), "a line that shrinks was as long as that");
}

}  // namespace
}  // namespace lockd::engine
