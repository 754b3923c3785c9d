// Signals that are read, not handled.
#include "server/stop_signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>

namespace lockd::server {
namespace {

namespace asio = boost::asio;

TEST(StopSignals, S6_each_is_read_be_it_that_it_came_before) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    asio::io_context context;
    StopSignals signals(context);
    ASSERT_EQ(::kill(::getpid(), number), 0);
    int told = 0;
    signals.async_wait([&](int signal) { told = signal; });
    context.run();
    EXPECT_EQ(told, number);
  }
}

TEST(StopSignals, a_hangup_that_is_ignored_stays_so) {
  std::signal(SIGHUP, SIG_IGN);
  asio::io_context context;
  StopSignals signals(context);
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);  // which would be read after the other
  int told = 0;
  signals.async_wait([&](int signal) { told = signal; });
  context.run();
  EXPECT_EQ(told, SIGINT);
}

TEST(StopSignals, S6_a_descriptor_that_cannot_be_had_is_said) {
  asio::io_context context;
  const asio::steady_timer opens_its_epoll(context);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_THROW(StopSignals{context}, boost::system::system_error);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace lockd::server
