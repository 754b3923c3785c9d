// An optional on the heap, as a value.
#include "server/boxed.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace lockd::server {
namespace {

TEST(Boxed, is_empty_until_it_is_given_something_and_when_that_is_taken_away) {
  Boxed<std::string> box;
  EXPECT_FALSE(box);
  EXPECT_EQ(box.emplace(3U, 'x'), "xxx");
  EXPECT_TRUE(box);
  EXPECT_EQ(*box, "xxx");
  EXPECT_EQ(box->size(), 3U);
  EXPECT_EQ(std::as_const(box)->size(), 3U);
  EXPECT_EQ(box.emplace("y"), "y");
  box.reset();
  EXPECT_FALSE(box);
}

TEST(Boxed, a_copy_has_one_of_its_own) {
  Boxed<std::string> box;
  EXPECT_FALSE(Boxed<std::string>(box));
  box.emplace("x");
  Boxed<std::string> copy(box);
  Boxed<std::string> assigned;
  assigned.emplace("z");
  assigned = box;
  box.emplace("y");
  EXPECT_EQ(*copy, "x");
  EXPECT_EQ(*assigned, "x");
  assigned = Boxed<std::string>();
  EXPECT_FALSE(assigned);
}

}  // namespace
}  // namespace lockd::server
