// A server that plays a script, for tests of the client: it accepts one connection, says hello, and does as it is told.
#ifndef LOCKD_CLIENT_TEST_FAKE_SERVER_H_
#define LOCKD_CLIENT_TEST_FAKE_SERVER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "client/socket.h"
#include "lockd/client.h"

namespace lockd {

/// The server's end of the connection, in the script's thread.
class Peer {
 public:
  explicit Peer(Descriptor socket) : socket_(std::move(socket)) {}

  /// The next line, without its LF; what there is of one at the end of the stream.
  std::string line() {
    std::size_t line_feed = 0;
    while ((line_feed = received_.find('\n')) == std::string::npos) {
      if (!receive()) return std::exchange(received_, {});
    }
    std::string line = received_.substr(0, line_feed);
    received_.erase(0, line_feed + 1);
    return line;
  }

  void expect(const std::string& wanted) { EXPECT_EQ(line(), wanted); }

  /// That the client has nothing more to say than this, up to its end.
  void expect_end(const std::string& rest = {}) {
    drain();
    EXPECT_EQ(received_, rest);
  }

  /// Waits for the client's end, whatever it says until then.
  void drain() {
    while (receive()) {
    }
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Whether the client ends, or says something, within this time.
  bool hears_within(std::chrono::milliseconds time) {
    pollfd watched{socket_.get(), POLLIN, 0};
    return ::poll(&watched, 1, static_cast<int>(time.count())) > 0;
  }

  void half_close() { ::shutdown(socket_.get(), SHUT_WR); }

  void close() { socket_ = Descriptor(); }

  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  bool receive() {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    received_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  Descriptor socket_;
  std::string received_;
};

using Script = std::function<void(Peer&)>;

/// Each request with the bytes of its reply, in this order; then the client's end.
inline Script answers(std::vector<std::pair<std::string, std::string>> exchanges) {
  return [exchanges = std::move(exchanges)](Peer& peer) {
    for (const auto& [request, reply] : exchanges) {
      peer.expect(request);
      peer.send(reply);
    }
    peer.expect_end();
  };
}

class FakeServer {
 public:
  /// The script begins with the client's first request after connecting.
  explicit FakeServer(Script script)
      : FakeServer(std::move(script), [](Peer& peer) {
          peer.expect("ping");
          peer.send("1 pong\n");
        }) {}

  FakeServer(Script script, Script greeting) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    port_ = ntohs(name.sin_port);
    thread_ = std::thread([this, script = std::move(script), greeting = std::move(greeting)] {
      Peer peer(Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      greeting(peer);
      script(peer);
    });
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  /// Waits for the end of the script.
  ~FakeServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // for one that nobody connected to
    thread_.join();
  }

  std::string uri() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

  Client connect(const Options& options = {}) const { return Client::connect(uri(), options).value(); }

 private:
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_TEST_FAKE_SERVER_H_
