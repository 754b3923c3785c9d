// The addresses of a server: those that were passed to it, and those of --listen.
#include "server/listeners.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "server/reason.h"
#include "server/test_limits.h"
#include "server/test_log.h"

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using UnixEndpoint = asio::local::stream_protocol::endpoint;

const std::string in_use =
    ": Address already in use, by another lockd, or by lockd.socket? (ss -tlnp tells.) End that, or take another "
    "address: --listen";

class ListenersTest : public testing::Test {
 protected:
  ListenersTest() {
    std::string name = testing::TempDir() + "listeners-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string unix_uri(const std::string& name) const { return "unix://" + path(name); }

  std::vector<std::string> uris() const {
    std::vector<std::string> uris;
    for (const auto& [listener, policy] : listeners_) uris.push_back(listener->uri());
    return uris;
  }

  // What open() throws.
  std::string refusal(const std::vector<PassedSocket>& passed = {}) {
    try {
      listeners_.open(passed);
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  // A listening socket as a service manager passes it: nobody else's to close.
  template <class Endpoint>
  PassedSocket pass(const Endpoint& endpoint, const std::string& name = "web") {
    asio::basic_socket_acceptor<typename Endpoint::protocol_type> acceptor(context_, endpoint);
    return {acceptor.release(), name};
  }

  static tcp::endpoint loopback() { return {asio::ip::address_v4::loopback(), 0}; }

  std::string directory_;
  asio::io_context context_;
  Options options_;
  Listeners listeners_{context_, options_};
};

std::string reason_of(boost::system::errc::errc_t error) {
  return listening_reason(boost::system::system_error(make_error_code(error)), "--http");
}

TEST(ListeningReason, says_what_to_do) {
  using namespace boost::system::errc;
  EXPECT_EQ(reason_of(permission_denied),
            "Permission denied: a port below 1024 needs CAP_NET_BIND_SERVICE. Give it that, or take another address: "
            "--http");
  EXPECT_EQ(reason_of(address_not_available),
            "Cannot assign requested address: it is none of this machine's. (ip address tells.) Add it, or take "
            "another address: --http");
  EXPECT_EQ(reason_of(too_many_files_open), "Too many open files");
  EXPECT_EQ(reason_of(filename_too_long),
            "File name too long: the path of a socket has 107 bytes at most. Take a shorter one");
  EXPECT_EQ(listening_reason(boost::system::system_error(asio::error::host_not_found), "--http"),
            "Host not found (authoritative): mend the name, or give the address itself: --http");
}

TEST(ListeningReason, names_the_folder_and_says_what_to_do) {
  const std::system_error error(ENOENT, std::generic_category(), "the folder /run/lockd");
  EXPECT_EQ(listening_reason(error, "--listen"),
            "the folder /run/lockd: No such file or directory: make the folder, or take another path");
}

TEST(FileAdvice, says_what_to_do) {
  EXPECT_EQ(file_advice(ENOENT), ": make the folder, or take another path");
  EXPECT_EQ(file_advice(ENOTDIR), file_advice(ENOENT));
  EXPECT_EQ(file_advice(EACCES), ": give lockd's user the right to it, or take another path");
  EXPECT_EQ(file_advice(ENOSPC), ": make room there, or take another path");
  EXPECT_EQ(file_advice(EDQUOT), file_advice(ENOSPC));
  EXPECT_EQ(file_advice(EISDIR), ": take another path");
  EXPECT_EQ(file_advice(EMFILE), "");
}

TEST_F(ListenersTest, are_those_of_the_flags_in_their_order) {
  options_.listen = {unix_uri("a"), "tcp://127.0.0.1:0", unix_uri("b")};
  listeners_.open({});
  ASSERT_EQ(listeners_.size(), 3U);
  EXPECT_EQ(uris()[0], unix_uri("a"));
  EXPECT_TRUE(uris()[1].starts_with("tcp://127.0.0.1:"));
  EXPECT_FALSE(uris()[1].ends_with(":0")) << "the port that was taken";
  EXPECT_EQ(uris()[2], unix_uri("b"));
}

TEST_F(ListenersTest, of_a_Unix_socket_have_the_mode_of_the_flag) {
  options_.listen = {unix_uri("a")};
  options_.unix_mode = 0600;
  listeners_.open({});
  EXPECT_EQ(std::filesystem::status(path("a")).permissions(), std::filesystem::perms(0600));
}

TEST_F(ListenersTest, for_WebSockets_let_in_the_pages_that_the_flag_names_and_others_ask_nobody) {
  options_.listen = {"tcp://127.0.0.1:0", "ws://127.0.0.1:0", "ws://127.0.0.1:0/locks"};
  options_.websocket_origins = {"https://a.example"};
  listeners_.open({});
  std::vector<std::string> paths;
  for (const auto& [listener, policy] : listeners_) {
    paths.push_back(policy ? policy->path : "none");
    EXPECT_EQ(policy.value_or(WebSocketPolicy{.origins = options_.websocket_origins}).origins,
              options_.websocket_origins);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"none", "/", "/locks"}));
}

TEST_F(ListenersTest, for_WebSockets_are_missed_where_pages_may_connect) {
  const TestLog log;
  options_.listen = {"tcp://127.0.0.1:0"};
  options_.websocket_origins = {"https://a.example"};
  listeners_.open({});
  EXPECT_TRUE(log.says("--ws-origin lets no page in: there is no --listen ws://HOST:PORT")) << log.text();
}

TEST_F(ListenersTest, for_WebSockets_are_not_missed_otherwise) {
  const TestLog log;
  options_.listen = {"tcp://127.0.0.1:0"};
  listeners_.open({});
  options_.listen = {"ws://127.0.0.1:0"};
  options_.websocket_origins = {"https://a.example"};
  listeners_.open({});
  EXPECT_EQ(log.text(), "");
}

TEST_F(ListenersTest, that_can_not_be_opened_are_told_with_their_flag_and_the_reason_alone) {
  const tcp::acceptor another(context_, loopback());
  options_.listen = {"tcp://127.0.0.1:" + std::to_string(another.local_endpoint().port())};
  EXPECT_EQ(refusal(), "--listen " + options_.listen[0] + in_use);
  options_.listen = {"udp://127.0.0.1:0"};
  EXPECT_TRUE(refusal().starts_with("--listen udp://127.0.0.1:0: ")) << refusal();
}

TEST_F(ListenersTest, that_can_not_be_opened_leave_what_others_have_at_the_path) {
  std::ofstream(path("a")) << "precious";
  options_.listen = {unix_uri("a")};
  EXPECT_EQ(refusal(), "--listen " + unix_uri("a") + ": there is a file that is no socket");
  EXPECT_TRUE(std::filesystem::is_regular_file(path("a")));
}

TEST_F(ListenersTest, that_were_passed_take_the_place_of_the_default_addresses) {
  const TestLog log;
  listeners_.open({pass(loopback(), "web"), pass(UnixEndpoint(path("a")), "local")});
  ASSERT_EQ(listeners_.size(), 2U);
  EXPECT_EQ(uris()[1], unix_uri("a"));
  EXPECT_TRUE(log.says(uris()[0] + " was passed as web")) << log.text();
  EXPECT_TRUE(log.says(unix_uri("a") + " was passed as local")) << log.text();
}

TEST_F(ListenersTest, that_were_passed_are_not_bound_again_for_a_flag) {
  options_.listen = {unix_uri("a"), "tcp://127.0.0.1:0"};
  listeners_.open({pass(UnixEndpoint(path("a")))});
  ASSERT_EQ(listeners_.size(), 2U);
  EXPECT_EQ(uris()[0], unix_uri("a"));
  EXPECT_TRUE(uris()[1].starts_with("tcp://"));
}

// A passed socket's port is spoken on as its unit says, not as the flag does.
TEST_F(ListenersTest, for_WebSockets_are_not_those_that_were_passed) {
  const PassedSocket passed = pass(loopback());
  Listeners first(context_, options_);
  first.open({passed});
  const std::string uri = (*first.begin()).listener->uri();
  options_.listen = {"ws" + uri.substr(3)};
  EXPECT_EQ(refusal({}), "--listen " + options_.listen[0] + in_use);
}

TEST_F(ListenersTest, take_their_Unix_sockets_with_them_and_leave_those_that_were_passed) {
  options_.listen = {unix_uri("own")};
  {
    Listeners these(context_, options_);
    these.open({pass(UnixEndpoint(path("passed")))});
    EXPECT_TRUE(std::filesystem::is_socket(path("own")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("own")));
  EXPECT_TRUE(std::filesystem::is_socket(path("passed")));
  EXPECT_FALSE(std::filesystem::exists(path("passed.lock"))) << "whose it is guards it";
}

TEST_F(ListenersTest, accept_if_each_of_them_does) {
  options_.listen = {"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"};
  listeners_.open({});
  const auto& second = (*std::next(listeners_.begin())).listener;
  bool has_tried = false;
  const AcceptHooks hooks{.next_context = [&]() -> asio::io_context& { return has_tried = true, context_; },
                          .accepted = [](Socket, const StreamProtocol::endpoint&) {}};
  asio::co_spawn(context_, second->accept_all(hooks), asio::detached);
  EXPECT_TRUE(listeners_.accept());
  tcp::socket client(context_);
  const std::string uri = second->uri();
  client.connect({loopback().address(), static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1)))});
  const NoMoreDescriptors none;
  while (!has_tried) ASSERT_EQ(context_.run_one_for(std::chrono::seconds(20)), 1U);
  EXPECT_FALSE(listeners_.accept());
}

}  // namespace
}  // namespace lockd::server
