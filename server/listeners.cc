#include "server/listeners.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

#include "server/reason.h"

namespace lockd::server {

namespace asio = boost::asio;

void Listeners::open(const std::vector<PassedSocket>& passed) {
  for (const PassedSocket& socket : passed) take(socket);
  if (options_.listen.empty() && bound_.empty()) listen_by_default();
  for (const std::string& uri : options_.listen) {
    try {
      listen(uri);
    } catch (const std::exception& error) {
      throw std::runtime_error("--listen " + uri + ": " + listening_reason(error, "--listen"));
    }
  }
  const bool has_web_sockets = std::ranges::any_of(bound_, [](const auto& bound) { return bound.policy.has_value(); });
  if (!options_.websocket_origins.empty() && !has_web_sockets) {
    spdlog::warn("--ws-origin lets no page in: there is no --listen ws://HOST:PORT");
  }
}

bool Listeners::accept() const {
  return std::ranges::all_of(bound_, [](const auto& bound) { return bound.listener->accepts(); });
}

void Listeners::take(const PassedSocket& passed) {
  auto listener = std::make_unique<Listener>(context_, passed.fd);
  spdlog::info("{} was passed as {}", listener->uri(), passed.name);
  bound_before_.insert(listener->uri());
  bound_.emplace_back().listener = std::move(listener);
}

void Listeners::listen(const std::string& uri) {
  const ListenUri parsed = parse_listen_uri(uri);
  for (const auto& endpoint : resolve(parsed)) {
    if (!bound_before_.contains(listen_uri(endpoint, parsed.websocket_path))) add(endpoint, parsed.websocket_path);
  }
}

/// On a host without IPv6, IPv4 alone will do.
void Listeners::listen_by_default() {
  constexpr std::uint16_t port = 9999;
  try {
    add(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
  } catch (const std::exception& error) {
    throw std::runtime_error("tcp://127.0.0.1:9999: " + listening_reason(error, "--listen"));
  }
  try {
    add(asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), port));
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::address_in_use) {
      throw std::runtime_error("tcp://[::1]:9999: " + listening_reason(error, "--listen"));
    }
    spdlog::warn("tcp://[::1]:9999: {}: serving IPv4 only", reason(error));
  }
}

void Listeners::add(const StreamProtocol::endpoint& endpoint, const std::optional<std::string>& websocket_path) {
  auto listener = std::make_unique<Listener>(context_, endpoint, options_.unix_mode, websocket_path);
  BoundListener& added = bound_.emplace_back();
  added.listener = std::move(listener);
  if (websocket_path) added.policy = {.path = *websocket_path, .origins = options_.websocket_origins};
}

}  // namespace lockd::server
