// Tests of what --json prints.
#include "client/lockctl/json.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

TEST(LockctlJson, held) {
  EXPECT_EQ(json::held("a \"b\"", Mode::shared, 7, 3), R"({"key":"a \"b\"","mode":"shared","token":7,"holders":3})");
}

TEST(LockctlJson, bytes_that_are_no_text_lose_nothing) {
  EXPECT_EQ(json::keys({"caf\xe9", "\xff\xfe\xfd", "\x01", "\xf0", "\xc3\xa9"}),
            R"([{"key":"caf\\xE9","key_base64":"Y2Fm6Q=="},{"key":"\\xFF\\xFE\\xFD","key_base64":"//79"},)"
            "{\"key\":\"\\u0001\"},{\"key\":\"\\\\xF0\",\"key_base64\":\"8A==\"},{\"key\":\"\xc3\xa9\"}]");
}

TEST(LockctlJson, inspection) {
  const Inspection one{1, 2};
  EXPECT_EQ(json::inspection("k", &one, nullptr), R"({"key":"k","exclusive":{"holders":1,"waiters":2},"shared":null})");
}

TEST(LockctlJson, list) {
  const std::vector<ListedLock> locks = {
      {Mode::exclusive, false, std::chrono::milliseconds(5), 7, "me", "k"},
      {Mode::shared, true, std::chrono::milliseconds(6), 0, "you", "k"},
  };
  EXPECT_EQ(json::list(locks),
            R"([{"mode":"exclusive","state":"held","age_ms":5,"token":7,"holder":"me","key":"k"},)"
            R"({"mode":"shared","state":"waiting","age_ms":6,"token":null,"holder":"you","key":"k"}])");
}

TEST(LockctlJson, is_UTF_8_whatever_the_server_says) {
  EXPECT_EQ(json::versions("0.1.0", "\xff"), R"({"lockctl":"0.1.0","lockd":"\\xFF"})");
  EXPECT_EQ(json::who({{"\xff:1", "me"}}), R"([{"address":"\\xFF:1","name":"me"}])");
  EXPECT_EQ(json::stats({{"\xff", 1}}), R"({"\\xFF":1})");
  EXPECT_EQ(json::bench("\xff", {}), R"({"lockd":"\\xFF","shapes":[]})");
}

TEST(LockctlJson, bench) {
  const BenchFigures figures{"ping", 1, 100, 0.5, {1, 2, 3, 4, 5}};
  EXPECT_EQ(json::bench("1.2.3", {figures}),
            R"({"lockd":"1.2.3","shapes":[{"name":"ping","connections":1,"requests":100,"requests_per_second":200,)"
            R"("latency_us":{"p50":1,"p90":2,"p99":3,"p99_9":4,"max":5}}]})");
  const BenchFigures none{"ping", 1, 0, 0, {}};
  EXPECT_NE(json::bench("1.2.3", {none}).find(R"("requests_per_second":0,)"), std::string::npos);
}

}  // namespace lockd::lockctl
