// Which variables are told of as no settings, and with what hint.
#include "server/environment.h"

#include <gtest/gtest.h>

namespace lockd::server {
namespace {

using Lines = std::vector<std::string>;

Lines unknown(std::vector<const char*> environment) {
  environment.push_back(nullptr);
  return unknown_variables(environment.data(), {"LOCKD_CONFIG", "LOCKD_HTTP", "LOCKD_LISTEN", "LOCKD_PIDFILE"});
}

TEST(EnvironmentTest, a_slip_is_told_with_the_setting_that_may_be_meant) {
  for (const std::string slip : {"LISTN", "LISTENN", "LISTEM", "LSITEN", "LITEM"})
    EXPECT_EQ(unknown({("LOCKD_" + slip + "=tcp://127.0.0.1:1").c_str()}),
              Lines{"LOCKD_" + slip + " sets nothing: did you mean LOCKD_LISTEN?"});
  EXPECT_EQ(unknown({"LOCKD_PID_FILE="}), Lines{"LOCKD_PID_FILE sets nothing: did you mean LOCKD_PIDFILE?"});
}

TEST(EnvironmentTest, others_are_told_without_one) {
  for (const std::string other : {"LOCKD_PORT", "LOCKD_HOST", "LOCKD_", "LOCKD_SERVICE_HOSTS"})
    EXPECT_EQ(unknown({(other + "=1").c_str()}), Lines{other + " sets nothing: lockd --help shows what can be set"});
  EXPECT_EQ(unknown({("LOCKD_" + std::string(100'000, 'x')).c_str()}).size(), 1U);
}

TEST(EnvironmentTest, each_is_told_and_its_value_is_not) {
  const Lines lines = unknown({"LOCKD_LISTN=secret", "HOME=/", "LOCKD_HTP=secret"});
  EXPECT_EQ(lines, (Lines{"LOCKD_LISTN sets nothing: did you mean LOCKD_LISTEN?",
                          "LOCKD_HTP sets nothing: did you mean LOCKD_HTTP?"}));
}

TEST(EnvironmentTest, settings_and_what_is_there_for_others_are_not_told) {
  EXPECT_EQ(unknown({"LOCKD_LISTEN=x", "LOCKD_CONFIG", "LISTN=x", "MY_LOCKD_LISTN=x", "lockd_listn=x"}), Lines{});
  EXPECT_EQ(unknown({"LOCKD_KEY=k", "LOCKD_MODE=exclusive", "LOCKD_SERVER=tcp://a:1", "LOCKD_TOKEN=7"}), Lines{});
}

TEST(EnvironmentTest, services_of_Kubernetes_are_not_told) {
  EXPECT_EQ(unknown({"LOCKD_PORT=tcp://10.0.0.1:9999", "LOCKD_SERVICE_HOST=10.0.0.1", "LOCKD_SERVICE_PORT=9999",
                     "LOCKD_SERVICE_PORT_LOCKS=9999", "LOCKD_PORT_9999_TCP_ADDR=10.0.0.1"}),
            Lines{});
  EXPECT_EQ(unknown({"LOCKD_WEB_SERVICE_HOST=10.0.0.1", "LOCKD_WEB_PORT=tcp://10.0.0.1:80", "LOCKD_PORT=80"}),
            Lines{"LOCKD_PORT sets nothing: lockd --help shows what can be set"});
}

}  // namespace
}  // namespace lockd::server
