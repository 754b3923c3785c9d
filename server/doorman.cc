#include "server/doorman.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <new>
#include <stdexcept>
#include <utility>

#include "engine/check.h"
#include "server/descriptors.h"
#include "server/peer_options.h"
#include "server/websocket/web_socket_connection.h"

namespace lockd::server {

namespace asio = boost::asio;

namespace {

/// S4: how many connections too many at once are given the time to read that they are. To the others it is only said.
constexpr std::size_t farewells_max = 32;

/// Descriptors for what is opened for a moment, by us or a library.
constexpr std::size_t descriptors_to_spare = 8;

template <class Mutex>
std::shared_ptr<Connection<Mutex>> make_connection(Worker<Mutex>& worker, Socket& socket,
                                                   std::atomic<std::size_t>& population) {
  PolledSocket polled(worker.poller, socket.release());
  return std::make_shared<Connection<Mutex>>(worker, std::move(polled), population);
}

}  // namespace

template <class Mutex>
void Doorman<Mutex>::limit(std::optional<std::uint64_t> asked, std::size_t reserved) {
  const std::size_t limit = raise_descriptor_limit();
  const std::size_t taken = open_descriptors() + farewells_max + reserved + descriptors_to_spare;
  const std::size_t room = room_for_connections(limit, taken);
  if (room == 0 && !asked) {
    throw std::runtime_error("a descriptor limit of " + std::to_string(limit) +
                             " leaves no room for connections: raise it, by ulimit -n, or LimitNOFILE= in the unit");
  }
  connections_max_ = asked.value_or(room);
  if (connections_max_ > room) {
    spdlog::warn("--max-connections {}: the descriptor limit leaves room for {}", connections_max_, room);
  }
}

template <class Mutex>
AcceptHooks Doorman<Mutex>::hooks(const WebSocketPolicy* policy) {
  return {[this]() -> asio::io_context& { return workers_[next_worker_]->context; },
          [this, policy](Socket socket, const StreamProtocol::endpoint& peer) {
            accept_or_drop(std::move(socket), peer, policy);
          }};
}

template <class Mutex>
void Doorman<Mutex>::accept_or_drop(Socket socket, const StreamProtocol::endpoint& peer,
                                    const WebSocketPolicy* policy) {
  try {
    accept(std::move(socket), peer, policy);
  } catch (const std::bad_alloc&) {
    ++dropped_total_;
    throw;
  }
}

template <class Mutex>
void Doorman<Mutex>::accept(Socket socket, const StreamProtocol::endpoint& peer, const WebSocketPolicy* policy) {
  next_worker_ = (next_worker_ + 1) % workers_.size();
  if (served_.load() >= connections_max_) {
    return refuse(std::move(socket), policy == nullptr ? too_many_connections_line : too_many_connections_response);
  }
  set_peer_options(socket, peer_timeout_);
  const SessionId id{++last_session_};
  const std::string address = peer_address(peer, id);
  spdlog::debug("session {} from {}", last_session_, address);
  Worker<Mutex>& worker = worker_of(socket);
  if (policy == nullptr) {
    serve(worker, make_connection(worker, socket, served_), id, address);
  } else {
    serve(worker, std::make_shared<WebSocketConnection<Mutex>>(worker, std::move(socket), served_, *policy), id,
          address);
  }
}

template <class Mutex>
template <class Connected>
void Doorman<Mutex>::serve(Worker<Mutex>& worker, std::shared_ptr<Connected> connection, SessionId id,
                           const std::string& address) {
  asio::post(worker.context, [=, connection = std::move(connection)] { connection->serve(id, address); });
}

template <class Mutex>
void Doorman<Mutex>::refuse(Socket socket, std::string_view farewell) {
  ++refused_total_;
  if (full_log_.allows()) spdlog::warn("{} connections: no more are served for now", connections_max_);
  if (refused_.load() >= farewells_max) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(farewell), ignored);
    return;
  }
  Worker<Mutex>& worker = worker_of(socket);
  const auto connection = make_connection(worker, socket, refused_);
  asio::post(worker.context, [=] { connection->refuse(farewell); });
}

/// Whose thread the socket was accepted for.
template <class Mutex>
Worker<Mutex>& Doorman<Mutex>::worker_of(Socket& socket) const {
  const auto* context = &socket.get_executor().context();
  const auto found = std::ranges::find_if(workers_, [&](const auto& worker) { return &worker->context == context; });
  LOCKD_CHECK(found != workers_.end(), "each socket is some worker's");
  return **found;
}

template class Doorman<engine::NullMutex>;
template class Doorman<std::mutex>;

}  // namespace lockd::server
