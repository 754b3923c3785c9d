// How a connection begins.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "client/test_fake_server.h"
#include "lockd/client.h"

namespace lockd {
namespace {

using namespace std::chrono_literals;

Script answering(std::string line, std::string reply) {
  return [=](Peer& peer) {
    peer.expect(line);
    peer.send(reply);
  };
}

const Script until_the_end = [](Peer& peer) { peer.expect_end(); };

TEST(ClientConnect, to_nobody_is_unreachable) {
  std::string uri;
  {
    const FakeServer server([](Peer&) {}, [](Peer&) {});
    uri = server.uri();
  }
  const auto client = Client::connect(uri);
  ASSERT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_EQ(client.error().text, uri + ": Connection refused");
}

TEST(ClientConnect, to_a_path_where_nothing_is) {
  const auto client = Client::connect("unix:///nowhere/lockd.sock");
  ASSERT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_EQ(client.error().text, "unix:///nowhere/lockd.sock: No such file or directory");
}

TEST(ClientConnect, to_a_path_too_long_for_a_socket) {
  EXPECT_TRUE(Client::connect("unix:///" + std::string(107, 'p')).failed_by(Cause::bad_argument));
}

TEST(ClientConnect, to_a_name_that_nobody_has) {
  const auto client = Client::connect("tcp://no-such-host.invalid:9999");
  ASSERT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_TRUE(client.error().text.starts_with("tcp://no-such-host.invalid:9999: ")) << client.error().text;
}

TEST(ClientConnect, tries_all_addresses_of_a_name) {
  const FakeServer server(until_the_end);  // on 127.0.0.1, and localhost may be ::1 first
  const std::string port = server.uri().substr(server.uri().rfind(':'));
  EXPECT_TRUE(Client::connect("tcp://localhost" + port));
}

TEST(ClientConnect, to_what_never_answers_takes_the_connect_timeout) {
  const FakeServer server(until_the_end, [](Peer& peer) { peer.expect("ping"); });
  const auto client = Client::connect(server.uri(), {.connect_timeout = 50ms, .reply_timeout = 1h});
  ASSERT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_EQ(client.error().text, server.uri() + ": no reply within 50 ms");
}

TEST(ClientConnect, to_what_answers_byte_by_byte_for_ever_takes_the_connect_timeout) {
  const FakeServer server(until_the_end, [](Peer& peer) {
    peer.expect("ping");
    while (!peer.hears_within(5ms)) peer.send("1");
  });
  const auto client = Client::connect(server.uri(), {.connect_timeout = 50ms, .reply_timeout = 1h});
  ASSERT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_EQ(client.error().text, server.uri() + ": no reply within 50 ms");
}

TEST(ClientConnect, S4_to_a_server_that_is_full) {
  const FakeServer server([](Peer&) {}, answering("ping", "0 Too Many Connections\n"));
  const auto client = Client::connect(server.uri());
  ASSERT_TRUE(client.failed_by(Cause::too_many_connections));
  EXPECT_EQ(client.error().text, server.uri() + ": the server has too many connections (its --max-connections)");
}

TEST(ClientConnect, S4_to_a_server_that_is_full_and_says_so_at_once) {
  const FakeServer server([](Peer& peer) { peer.drain(); }, [](Peer& peer) { peer.send("0 Too Many Connections\n"); });
  EXPECT_TRUE(Client::connect(server.uri()).failed_by(Cause::too_many_connections));
}

TEST(ClientConnect, to_what_is_no_lockd) {
  const FakeServer server([](Peer&) {}, answering("ping", "HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(Client::connect(server.uri()).failed_by(Cause::protocol_error));
}

TEST(ClientConnect, to_what_never_ends_its_line) {
  const FakeServer server([](Peer&) {},
                          [](Peer& peer) {
                            peer.expect("ping");
                            for (int i = 0; i < 100; ++i) peer.send(std::string(1000, 'x'));
                            peer.expect_end();
                          });
  EXPECT_TRUE(Client::connect(server.uri(), {.reply_bytes_max = 10000}).failed_by(Cause::protocol_error));
}

TEST(ClientConnect, to_what_speaks_first) {
  const FakeServer server([](Peer& peer) { peer.drain(); }, [](Peer& peer) { peer.send("SSH-2.0-OpenSSH_9.2\r\n"); });
  EXPECT_TRUE(Client::connect(server.uri()).failed_by(Cause::protocol_error));
}

TEST(ClientConnect, to_what_closes_at_once) {
  const FakeServer server([](Peer&) {}, [](Peer& peer) { peer.close(); });
  EXPECT_TRUE(Client::connect(server.uri()).failed_by(Cause::unreachable));
}

TEST(ClientConnect, R2_with_a_name) {
  const FakeServer server(until_the_end, [](Peer& peer) {
    peer.expect("ping");
    peer.expect("iam a worker");
    peer.send("1 pong\n1 ok\n");
  });
  EXPECT_TRUE(server.connect({.name = "a worker"}).is_connected());
}

TEST(ClientConnect, checks_its_options_first) {
  const auto refused = [](const Options& options) {
    return Client::connect("tcp://127.0.0.1:1", options).failed_by(Cause::bad_argument);
  };
  EXPECT_TRUE(refused({.connect_timeout = 0ms}));
  EXPECT_TRUE(refused({.peer_timeout = 1999ms}));
  EXPECT_TRUE(refused({.peer_timeout = 3600001ms}));
  EXPECT_TRUE(refused({.reply_timeout = -1ms}));
  EXPECT_TRUE(refused({.name = "a\nra"}));
  EXPECT_TRUE(Client::connect("127.0.0.1:1").failed_by(Cause::bad_argument));
}

/// A listening Unix socket whose line is full: one more has to wait for ever.
TEST(ClientConnect, to_a_Unix_socket_that_accepts_nobody_takes_the_connect_timeout) {
  std::string made = testing::TempDir() + "lockd-client-XXXXXX";
  ASSERT_NE(::mkdtemp(made.data()), nullptr);
  const std::string path = made + "/s";
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  ASSERT_EQ(::bind(listener.get(), address, sizeof name), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  const Descriptor first(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::connect(first.get(), address, sizeof name), 0);
  const auto client = Client::connect("unix://" + path, {.connect_timeout = 50ms});
  EXPECT_TRUE(client.failed_by(Cause::unreachable));
  EXPECT_EQ(client.error().text, "unix://" + path + ": no connection in time");
  std::filesystem::remove_all(made);
}

TEST(ClientConnect, no_program_that_is_executed_inherits_the_socket) {
  const FakeServer server([](Peer& peer) { peer.drain(); }, [](Peer&) {});
  const Address address = parse_uri(server.uri()).value();
  const Descriptor socket = connect_socket(address, Clock::now() + 10s, server.uri()).value();
  EXPECT_NE(::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
}

/// A socket that became descriptor 1 would be sent what the program prints.
TEST(ClientConnect, takes_no_standard_stream_for_a_socket) {
  const Descriptor kept(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100));
  ::close(STDIN_FILENO);
  const int low = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const Descriptor socket = beyond_standard_streams(low);
  EXPECT_EQ(low, STDIN_FILENO);
  EXPECT_GT(socket.get(), STDERR_FILENO);
  EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), -1) << "what was closed stays closed";
  EXPECT_NE(::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  if (kept) ::dup2(kept.get(), STDIN_FILENO);
}

}  // namespace
}  // namespace lockd
