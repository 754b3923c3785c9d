// That memory is lent, taken back, and bounded.
#include "server/spare_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace lockd::server {
namespace {

const std::size_t no_memory = std::string().capacity();

TEST(SpareBuffer, what_was_taken_back_is_lent_next) {
  SpareBuffer spare;
  std::string first(5000, 'x');
  const char* const lies_at = first.data();
  spare.take_back(first);
  EXPECT_EQ(first, "");
  EXPECT_EQ(first.capacity(), no_memory);
  std::string second;
  spare.lend(second);
  EXPECT_EQ(second, "");
  EXPECT_EQ(second.data(), lies_at);
}

TEST(SpareBuffer, lends_to_one_at_a_time) {
  SpareBuffer spare;
  std::string first(5000, 'x');
  spare.take_back(first);
  std::string second;
  spare.lend(first);
  spare.lend(second);
  EXPECT_GE(first.capacity(), 5000U);
  EXPECT_EQ(second.capacity(), no_memory);
}

TEST(SpareBuffer, keeps_the_largest_up_to_its_bound) {
  SpareBuffer spare;
  for (const std::size_t size : {std::size_t{5000}, std::size_t{100}, SpareBuffer::bytes_max + 1}) {
    std::string used(size, 'x');
    spare.take_back(used);
    EXPECT_EQ(used.capacity(), no_memory);
  }
  std::string next;
  spare.lend(next);
  EXPECT_EQ(next.capacity(), 5000U);
}

TEST(SpareBuffer, what_stays_is_copied_if_most_of_the_memory_is_not_needed) {
  SpareBuffer spare;
  std::string kept(5000, 'x');
  const char* const lies_at = kept.data();
  spare.take_back_around(kept);
  EXPECT_EQ(kept.data(), lies_at);
  kept.erase(0, 4000);
  spare.take_back_around(kept);
  EXPECT_EQ(kept, std::string(1000, 'x'));
  EXPECT_LT(kept.capacity(), 2000U);
  std::string next;
  spare.lend(next);
  EXPECT_EQ(next.data(), lies_at);
}

}  // namespace
}  // namespace lockd::server
