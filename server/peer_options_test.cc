// What sockets are told about their peers (S2), and how many descriptors there are (S4).
#include "server/peer_options.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstdlib>

#include "server/descriptors.h"

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// An accepted socket whose other end is here too.
class PeerOptions : public testing::TestWithParam<int> {
 protected:
  PeerOptions() : client_(context_), socket_(context_) {
    tcp::acceptor acceptor(context_, {asio::ip::address_v4::loopback(), 0});
    client_.connect(acceptor.local_endpoint());
    socket_ = Socket(context_, StreamProtocol(AF_INET, IPPROTO_TCP), acceptor.accept().release());
  }

  int option(int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(socket_.native_handle(), level, name, &value, &size), 0);
    return value;
  }

  asio::io_context context_;
  tcp::socket client_;
  Socket socket_;
};

INSTANTIATE_TEST_SUITE_P(seconds, PeerOptions, testing::Values(1, 2, 3, 5, 7, 10, 30, 31, 100, 3600));

TEST_P(PeerOptions, S2_replies_are_sent_at_once_and_unacknowledged_ones_end_the_connection_in_time) {
  set_peer_options(socket_, std::chrono::seconds(GetParam()));
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 1000 * GetParam());
}

// The kernel ends a silent connection at the first probe that is due, and has one unanswered before it, once the user
// timeout is over.
TEST_P(PeerOptions, S2_in_silence_a_vanished_host_is_noticed_within_the_time_stated) {
  set_peer_options(socket_, std::chrono::seconds(GetParam()));
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  const int interval_s = option(IPPROTO_TCP, TCP_KEEPINTVL);
  ASSERT_GE(interval_s, 1);
  int ends_after_s = option(IPPROTO_TCP, TCP_KEEPIDLE) + interval_s;
  int probes_before = 1;
  for (; ends_after_s < GetParam(); ends_after_s += interval_s) ++probes_before;
  EXPECT_LE(ends_after_s, 1.25 * GetParam() + 1);
  EXPECT_GE(ends_after_s, GetParam());
  EXPECT_GE(option(IPPROTO_TCP, TCP_KEEPCNT), probes_before) << "else the count of probes would decide";
}

TEST_F(PeerOptions, a_Unix_socket_is_left_as_it_is) {
  asio::local::stream_protocol::socket one(context_);
  asio::local::stream_protocol::socket other(context_);
  asio::local::connect_pair(one, other);
  socket_ = Socket(context_, StreamProtocol(AF_UNIX, 0), one.release());
  set_peer_options(socket_, std::chrono::seconds(30));
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(PeerOptions, a_peer_that_has_gone_is_no_reason_to_fail) {
  client_.set_option(asio::socket_base::linger(true, 0));
  client_.close();
  set_peer_options(socket_, std::chrono::seconds(30));
  socket_.close();
  set_peer_options(socket_, std::chrono::seconds(30));
}

// ---- descriptors: in a process of their own, whose limit may be moved ----

[[noreturn]] void exit_if(bool right) { std::_Exit(right ? 0 : 1); }

void set_limit(rlim_t soft, rlim_t hard) {
  const rlimit limit{soft, hard};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) std::_Exit(2);
}

using DescriptorsDeathTest = testing::Test;

TEST_F(DescriptorsDeathTest, S4_the_limit_is_raised_as_far_as_allowed) {
  const auto raised = [] {
    set_limit(256, 512);
    const std::size_t returned = raise_descriptor_limit();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    exit_if(returned == 512 && limit.rlim_cur == 512);
  };
  EXPECT_EXIT(raised(), testing::ExitedWithCode(0), "");
}

TEST(Descriptors, S4_connections_are_the_limit_less_64) { EXPECT_EQ(room_for_connections(512, 10), 512U - 64U); }

TEST(Descriptors, S4_what_is_needed_otherwise_may_be_more) {
  EXPECT_EQ(room_for_connections(512, 65), 512U - 65U);
  EXPECT_EQ(room_for_connections(512, 511), 1U);
}

TEST(Descriptors, S4_there_may_be_no_room_at_all) {
  EXPECT_EQ(room_for_connections(64, 10), 0U);
  EXPECT_EQ(room_for_connections(512, 600), 0U);
}

TEST(Descriptors, those_that_are_open_are_counted) {
  const std::size_t before = open_descriptors();
  const int descriptor = ::dup(STDERR_FILENO);
  EXPECT_EQ(open_descriptors(), before + 1);
  ::close(descriptor);
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace lockd::server
