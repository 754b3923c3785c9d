// That the log is spared, and told again later.
#include "server/throttle.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

TEST(Throttle, allows_one_line_in_ten_seconds) {
  Throttle throttle;
  const Throttle::Clock::time_point start{};
  EXPECT_TRUE(throttle.allows(start));
  EXPECT_FALSE(throttle.allows(start));
  EXPECT_FALSE(throttle.allows(start + std::chrono::milliseconds(9999)));
  EXPECT_TRUE(throttle.allows(start + std::chrono::seconds(10)));
  EXPECT_FALSE(throttle.allows(start + std::chrono::seconds(19)));
}

}  // namespace
}  // namespace lockd::server
