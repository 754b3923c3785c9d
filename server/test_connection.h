// Connections over loopback, for tests: peers that never block, and a worker of one thread that serves them.
#ifndef LOCKD_SERVER_TEST_CONNECTION_H_
#define LOCKD_SERVER_TEST_CONNECTION_H_

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/connection.h"
#include "server/test_server.h"

namespace lockd::server {

/// A client's end, which never blocks.
class Peer {
 public:
  using Tcp = boost::asio::ip::tcp;

  explicit Peer(boost::asio::io_context& context) : socket(context) {}

  /// With a receive buffer as small as the kernel allows, so that a peer that does not read is soon noticed.
  void connect(const Tcp::endpoint& endpoint) {
    socket.open(endpoint.protocol());
    socket.set_option(boost::asio::socket_base::receive_buffer_size(1));
    socket.connect(endpoint);
    socket.non_blocking(true);
  }

  /// As many of the bytes as the kernel takes.
  std::size_t send_some(std::string_view bytes) {
    boost::system::error_code error;
    return socket.write_some(boost::asio::buffer(bytes), error);
  }

  /// What has come since the last call is in `received`, and whether that was all for ever in `ended`.
  void read() {
    std::array<char, 65536> buffer{};
    boost::system::error_code error;
    while (!error) received.append(buffer.data(), socket.read_some(boost::asio::buffer(buffer), error));
    ended = ended || error != boost::asio::error::would_block;
    was_reset = was_reset || error == boost::asio::error::connection_reset;
  }

  void reset() {
    socket.set_option(boost::asio::socket_base::linger(true, 0));
    socket.close();
  }

  Tcp::socket socket;
  std::string received;
  bool ended = false;
  bool was_reset = false;
};

/// A worker, and the connections of peers to it, with a send buffer as small as the kernel allows.
class LoopbackWorker {
 public:
  LoopbackWorker() : acceptor_(context(), {boost::asio::ip::address_v4::loopback(), 0}) {}

  boost::asio::io_context& context() { return worker_.context; }

  std::shared_ptr<Connection<engine::NullMutex>> accept(Peer& peer) {
    peer.connect(acceptor_.local_endpoint());
    Socket socket(context(), StreamProtocol(AF_INET, IPPROTO_TCP), acceptor_.accept().release());
    socket.set_option(boost::asio::socket_base::send_buffer_size(1));
    PolledSocket polled(worker_.poller, socket.release());
    return std::make_shared<Connection<engine::NullMutex>>(worker_, std::move(polled), connection_count_);
  }

  SessionId serve(Peer& peer) {
    const SessionId id{++last_session_};
    accept(peer)->serve(id, "A" + std::to_string(last_session_));
    return id;
  }

  /// Runs what is due until the condition holds; false if it does not in time.
  template <class Condition>
  bool run_until(Condition condition, std::chrono::seconds patience = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      context().run_one_for(std::chrono::milliseconds(10));
    return condition();
  }

  /// The peer sends all of this, reading along. What has come when that is so many bytes, or as much as ever will.
  std::string exchange(Peer& peer, std::string_view requests, std::size_t reply_bytes) {
    peer.received.clear();
    std::size_t sent = 0;
    run_until([&] {
      if (sent < requests.size()) sent += peer.send_some(requests.substr(sent));
      peer.read();
      return sent == requests.size() && peer.received.size() >= reply_bytes;
    });
    return peer.received;
  }

  bool run_until_over() {
    return run_until([&] { return connection_count_ == 0; });
  }
  std::uint64_t keys() const { return server_.table.key_count(LockKind::exclusive); }

 protected:
  TestServer<> server_;
  std::atomic<std::size_t> connection_count_ = 0;
  Worker<engine::NullMutex> worker_{server_.services, std::chrono::seconds(1)};
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{worker_.context.get_executor()};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint64_t last_session_ = 0;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_CONNECTION_H_
