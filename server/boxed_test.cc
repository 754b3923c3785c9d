// An optional on the heap is a value.
#include "server/boxed.h"

#include <gtest/gtest.h>

#include <string>

namespace lockd::server {
namespace {

TEST(Boxed, holds_nothing_until_something_is_put_in) {
  Boxed<std::string> box;
  EXPECT_FALSE(box);
  EXPECT_EQ(box.emplace("a"), "a");
  EXPECT_TRUE(box);
  box.reset();
  EXPECT_FALSE(box);
}

TEST(Boxed, a_copy_has_one_of_its_own) {
  Boxed<std::string> box;
  box.emplace("a");
  Boxed<std::string> copy(box);
  *copy += "b";
  EXPECT_EQ(*box, "a");
  EXPECT_EQ(*copy, "ab");
  box = copy;
  copy.reset();
  EXPECT_EQ(*box, "ab");
  box = copy;
  EXPECT_FALSE(box);
}

}  // namespace
}  // namespace lockd::server
