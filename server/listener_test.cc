// Listening sockets: who may have an address, and how accepting survives what goes wrong.
#include "server/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/test_limits.h"
#include "server/test_log.h"

namespace {

// The next connection that this program accepts is aborted on its way in.
bool aborts_next_connection = false;

}  // namespace

extern "C" int accept(int listening, sockaddr* address, socklen_t* length) {
  const auto accepted = static_cast<int>(::syscall(SYS_accept4, listening, address, length, 0));
  if (accepted < 0 || !std::exchange(aborts_next_connection, false)) return accepted;
  ::close(accepted);
  errno = ECONNABORTED;
  return -1;
}

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using UnixEndpoint = asio::local::stream_protocol::endpoint;
using UnixSocket = asio::local::stream_protocol::socket;

// A directory of one's own, gone with the test.
class ListenerTest : public testing::Test {
 public:
  ListenerTest()
      : directory_(std::filesystem::temp_directory_path() / ("lockd_listener_" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 protected:
  std::string path(const std::string& name = "lockd.sock") const { return directory_ / name; }

  std::unique_ptr<Listener> listener(const StreamProtocol::endpoint& endpoint, unsigned mode = 0660) {
    return std::make_unique<Listener>(context_, endpoint, mode);
  }

  static tcp::endpoint loopback(std::uint16_t port = 0) { return {asio::ip::address_v4::loopback(), port}; }
  static tcp::endpoint endpoint_of(const Listener& listener) {
    const std::string uri = listener.uri();
    return loopback(static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1))));
  }

  // A socket file that no process listens at, as a killed server leaves it.
  static void leave_stale_socket(const std::string& path) {
    asio::io_context context;
    const asio::local::stream_protocol::acceptor acceptor(context, UnixEndpoint(path));
  }

  bool can_connect(const std::string& path) {
    UnixSocket socket(context_);
    boost::system::error_code error;
    socket.connect(UnixEndpoint(path), error);
    return !error;
  }

  // Runs what is due until the condition holds; false if it does not within 10 s.
  template <class Condition>
  bool run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) context_.run_one_for(50ms);
    return condition();
  }

  // Accepts into accepted_.
  AcceptHooks hooks() {
    return {[this]() -> asio::io_context& { return context_; },
            [this](Socket socket, const StreamProtocol::endpoint& peer) {
              if (std::exchange(out_of_memory_, false)) throw std::bad_alloc();
              accepted_.push_back(std::move(socket));
              peers_.push_back(peer_address(peer, SessionId{7}));
            }};
  }

  std::filesystem::path directory_;
  asio::io_context elsewhere_;  // outlives the sockets of context_ that are its own
  asio::io_context context_;
  std::vector<Socket> accepted_;
  std::vector<std::string> peers_;
  bool out_of_memory_ = false;
};

// ---- the right to a path ----

using UnixPathGuardTest = ListenerTest;

TEST_F(UnixPathGuardTest, refuses_while_another_holds_the_path) {
  std::optional<UnixPathGuard> first(path());
  leave_stale_socket(path());
  try {
    const UnixPathGuard second(path());
    ADD_FAILURE() << "two hold " << path();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(path() + ".lock"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_socket(path())) << "the holder's socket is not touched";
  first.reset();
  const UnixPathGuard third(path());
}

TEST_F(UnixPathGuardTest, removes_a_socket_that_a_killed_server_left) {
  leave_stale_socket(path());
  ASSERT_TRUE(std::filesystem::is_socket(path()));
  const UnixPathGuard guard(path());
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(UnixPathGuardTest, refuses_a_socket_at_which_another_program_listens_and_leaves_it) {
  asio::local::stream_protocol::acceptor another(context_, asio::local::stream_protocol::endpoint(path()));
  EXPECT_THROW(UnixPathGuard{path()}, std::runtime_error);
  asio::local::stream_protocol::socket client(context_);
  client.connect(asio::local::stream_protocol::endpoint(path()));  // throws where the path is gone
  another.close();
  const UnixPathGuard guard(path());
}

TEST_F(UnixPathGuardTest, refuses_a_file_that_is_no_socket_and_leaves_it) {
  std::ofstream(path()) << "precious";
  EXPECT_THROW(UnixPathGuard{path()}, std::runtime_error);
  std::string content;
  std::ifstream(path()) >> content;
  EXPECT_EQ(content, "precious");
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_THROW(UnixPathGuard{path()}, std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_directory(path()));
}

TEST_F(UnixPathGuardTest, refuses_a_link_even_to_a_socket_and_leaves_both) {
  leave_stale_socket(path("real.sock"));
  std::filesystem::create_symlink(path("real.sock"), path());
  EXPECT_THROW(UnixPathGuard{path()}, std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_TRUE(std::filesystem::is_socket(path("real.sock")));
}

TEST_F(UnixPathGuardTest, a_refusal_gives_the_lock_back) {
  std::ofstream(path()) << "precious";
  EXPECT_THROW(UnixPathGuard{path()}, std::runtime_error);
  std::filesystem::remove(path());
  const UnixPathGuard guard(path());
}

TEST_F(UnixPathGuardTest, removes_the_socket_in_the_end_and_keeps_the_lock_file) {
  {
    const UnixPathGuard guard(path());
    leave_stale_socket(path());
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_TRUE(std::filesystem::is_regular_file(path() + ".lock"));
}

// What the guard of this path throws.
std::string refusal(const std::string& path) {
  try {
    const UnixPathGuard guard(path);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST_F(UnixPathGuardTest, refuses_a_folder_that_is_none_by_its_name) {
  EXPECT_EQ(refusal(path("none/lockd.sock")), "the folder " + path("none") + ": No such file or directory");
  std::ofstream(path("file")) << "precious";
  EXPECT_EQ(refusal(path("file/lockd.sock")), "the folder " + path("file") + ": Not a directory");
}

TEST_F(UnixPathGuardTest, refuses_a_lock_file_that_is_none_by_its_name) {
  std::filesystem::create_symlink(path("nowhere"), path() + ".lock");
  EXPECT_EQ(refusal(path()), path() + ".lock: Too many levels of symbolic links");
  EXPECT_FALSE(std::filesystem::exists(path("nowhere")));
}

// ---- listening ----

TEST_F(ListenerTest, a_Unix_socket_has_just_the_mode_asked_for) {
  for (const unsigned mode : {0600U, 0660U, 0666U, 0777U, 0U}) {
    const auto listening = listener(UnixEndpoint(path()), mode);
    struct stat found{};
    ASSERT_EQ(::lstat(path().c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 07777U, mode);
    EXPECT_EQ(listening->uri(), "unix://" + path());
    EXPECT_TRUE(std::filesystem::exists(path() + ".lock"));
  }
}

TEST_F(ListenerTest, the_mask_of_the_process_is_as_it_was) {
  const mode_t before = ::umask(0027);
  {
    const auto listening = listener(UnixEndpoint(path()), 0666);
  }
  EXPECT_EQ(::umask(before), mode_t{0027});
}

TEST_F(ListenerTest, a_second_one_on_a_path_is_refused_while_the_first_serves) {
  auto first = listener(UnixEndpoint(path()));
  EXPECT_THROW(listener(UnixEndpoint(path())), std::runtime_error);
  EXPECT_TRUE(can_connect(path())) << "the first is still there";
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(path()));
  const auto next = listener(UnixEndpoint(path()));
  EXPECT_TRUE(can_connect(path()));
}

TEST_F(ListenerTest, takes_over_from_a_server_that_was_killed) {
  leave_stale_socket(path());
  EXPECT_FALSE(can_connect(path()));
  const auto listening = listener(UnixEndpoint(path()));
  EXPECT_TRUE(can_connect(path()));
}

TEST_F(ListenerTest, port_0_is_a_free_port_that_uri_tells) {
  const auto one = listener(loopback());
  const auto other = listener(loopback());
  EXPECT_NE(endpoint_of(*one).port(), 0);
  EXPECT_NE(endpoint_of(*one), endpoint_of(*other));
  EXPECT_EQ(one->uri(), "tcp://127.0.0.1:" + std::to_string(endpoint_of(*one).port()));
}

TEST_F(ListenerTest, a_second_one_on_a_port_is_refused) {
  const auto first = listener(loopback());
  try {
    listener(endpoint_of(*first));
    ADD_FAILURE() << "two on one port";
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::address_in_use);
  }
}

TEST_F(ListenerTest, a_port_whose_connections_linger_can_be_had_again) {
  auto first = listener(loopback());
  const tcp::endpoint endpoint = endpoint_of(*first);
  asio::co_spawn(context_, first->accept_all(hooks()), asio::detached);
  tcp::socket client(context_);
  client.connect(endpoint);
  ASSERT_TRUE(run_until([&] { return !accepted_.empty(); }));
  accepted_.clear();  // closed here first: TIME_WAIT is on this side
  first.reset();
  const auto second = listener(endpoint);
  EXPECT_EQ(endpoint_of(*second), endpoint);
}

TEST_F(ListenerTest, IPv6_is_IPv6_only) {
  std::unique_ptr<Listener> v6;
  try {
    v6 = listener(tcp::endpoint(asio::ip::address_v6::any(), 0));
  } catch (const boost::system::system_error& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
  EXPECT_NO_THROW(listener(endpoint_of(*v6))) << "the same port of IPv4 is free";
}

// ---- accepting ----

TEST_F(ListenerTest, R1_accepts_with_the_peers_address) {
  const auto over_tcp = listener(loopback());
  const auto over_unix = listener(UnixEndpoint(path()));
  for (Listener* one : {over_tcp.get(), over_unix.get()}) {
    asio::co_spawn(context_, one->accept_all(hooks()), asio::detached);
  }
  tcp::socket tcp_client(context_);
  tcp_client.connect(endpoint_of(*over_tcp));
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 1; }));
  UnixSocket unix_client(context_);
  unix_client.connect(UnixEndpoint(path()));
  ASSERT_TRUE(run_until([&] { return accepted_.size() == 2; }));
  EXPECT_EQ(peers_.at(0), "127.0.0.1:" + std::to_string(tcp_client.local_endpoint().port()));
  EXPECT_EQ(peers_.at(1), "unix:7");
}

TEST_F(ListenerTest, a_connection_goes_to_the_thread_that_was_named_for_it) {
  const auto listening = listener(loopback());
  AcceptHooks to_elsewhere = hooks();
  to_elsewhere.next_context = [&]() -> asio::io_context& { return elsewhere_; };
  asio::co_spawn(context_, listening->accept_all(to_elsewhere), asio::detached);
  tcp::socket client(context_);
  client.connect(endpoint_of(*listening));
  ASSERT_TRUE(run_until([&] { return !accepted_.empty(); }));
  EXPECT_EQ(&accepted_.front().get_executor().context(), &elsewhere_);
}

/// Between two passes those have their turn who are there already.
TEST_F(ListenerTest, accepts_so_many_at_once_and_no_more) {
  const auto listening = listener(loopback());
  AcceptHooks two_at_once = hooks();
  two_at_once.at_once_max = 2;
  asio::co_spawn(context_, listening->accept_all(two_at_once), asio::detached);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(context_).connect(endpoint_of(*listening));
  std::vector<std::size_t> counts;
  while (accepted_.size() < clients.size()) {
    context_.run_one();
    if (!accepted_.empty() && (counts.empty() || counts.back() != accepted_.size())) counts.push_back(accepted_.size());
  }
  EXPECT_EQ(counts, (std::vector<std::size_t>{2, 4, 5}));
}

TEST_F(ListenerTest, without_memory_for_a_connection_that_one_is_dropped_and_the_next_is_served) {
  const auto listening = listener(loopback());
  asio::co_spawn(context_, listening->accept_all(hooks()), asio::detached);
  out_of_memory_ = true;
  tcp::socket dropped(context_);
  dropped.connect(endpoint_of(*listening));
  ASSERT_TRUE(run_until([&] { return !out_of_memory_; }));
  char byte = 0;
  boost::system::error_code error;
  asio::read(dropped, asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error == asio::error::eof || error == asio::error::connection_reset) << error.message();
  tcp::socket served(context_);
  served.connect(endpoint_of(*listening));
  EXPECT_TRUE(run_until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, a_connection_that_is_aborted_is_not_waited_for) {
  const auto listening = listener(loopback());
  asio::co_spawn(context_, listening->accept_all(hooks()), asio::detached);
  aborts_next_connection = true;
  tcp::socket aborted(context_);
  aborted.connect(endpoint_of(*listening));
  asio::io_context others;
  tcp::socket next(others);  // who comes later, and would set free who waits for him
  std::atomic<bool> next_has_come = false;
  const std::jthread later([&, endpoint = endpoint_of(*listening)] {
    std::this_thread::sleep_for(500ms);
    next_has_come = true;
    next.connect(endpoint);
  });
  ASSERT_TRUE(run_until([] { return !aborts_next_connection; }));
  EXPECT_FALSE(next_has_come) << "the thread has other connections to serve";
  EXPECT_TRUE(run_until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, out_of_descriptors_accepting_pauses_without_a_spin_and_recovers_by_itself) {
  const auto listening = listener(loopback());
  asio::co_spawn(context_, listening->accept_all(hooks()), asio::detached);
  context_.run_for(10ms);
  EXPECT_TRUE(listening->accepts());
  tcp::socket client(context_);
  client.connect(endpoint_of(*listening));
  {
    const NoMoreDescriptors none;
    const std::size_t handlers = context_.run_for(500ms);
    EXPECT_TRUE(run_until([&] { return !listening->accepts(); }));
    EXPECT_TRUE(accepted_.empty());
    EXPECT_GE(handlers, 2U) << "it tries again";
    EXPECT_LE(handlers, 40U) << "and does not spin";
  }
  EXPECT_TRUE(run_until([&] { return accepted_.size() == 1; }));
  EXPECT_TRUE(run_until([&] { return listening->accepts(); }));
}

// Clients could fill the log.
TEST_F(ListenerTest, of_pauses_within_ten_seconds_the_first_alone_is_logged_and_each_is_recovered_from) {
  const TestLog log;
  const auto listening = listener(loopback());
  Throttle::Clock::time_point now{};
  int attempts = 0;
  AcceptHooks watched = hooks();
  watched.next_context = [&]() -> asio::io_context& { return ++attempts, context_; };
  watched.now = [&] { return now; };
  asio::co_spawn(context_, listening->accept_all(watched), asio::detached);
  std::vector<std::size_t> line_counts;
  for (const auto later : {0ms, 9'999ms, 1ms}) {
    now += later;
    tcp::socket client(context_);
    client.connect(endpoint_of(*listening));
    {
      const NoMoreDescriptors none;
      ASSERT_TRUE(run_until([&, before = attempts] { return attempts > before; }));
    }
    ASSERT_TRUE(run_until([&, before = accepted_.size()] { return accepted_.size() > before; }));
    context_.run_for(10ms);
    line_counts.push_back(log.line_count());
  }
  EXPECT_EQ(line_counts, (std::vector<std::size_t>{2, 2, 4})) << log.text();
  EXPECT_TRUE(log.says("accepting pauses: Too many open files") && log.says("accepting goes on")) << log.text();
}

TEST_F(ListenerTest, one_that_goes_ends_its_wait_for_connections) {
  auto listening = listener(loopback());
  bool is_over = false;
  asio::co_spawn(context_, listening->accept_all(hooks()), [&](const std::exception_ptr& error) { is_over = !error; });
  context_.poll();
  EXPECT_FALSE(is_over);
  listening.reset();
  EXPECT_TRUE(run_until([&] { return is_over; }));
}

}  // namespace
}  // namespace lockd::server
