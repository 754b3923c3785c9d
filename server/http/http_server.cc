#include "server/http/http_server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

namespace {

std::string reason(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const std::exception& error) {
    return error.what();
  }
}

bool is_loopback(const StreamProtocol::endpoint& endpoint) {
  const std::string uri = listen_uri(endpoint);
  return uri.starts_with("tcp://127.") || uri.starts_with("tcp://[::1]");
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

/// Nothing is shown to the outside that was not asked for: a name may stand for any address.
std::vector<StreamProtocol::endpoint> endpoints_of(const std::string& text) {
  const ListenUri uri = parse_listen_uri(text);
  auto endpoints = resolve(uri);
  if (uri.is_unix || is_address(uri.host)) return endpoints;
  for (const auto& endpoint : endpoints) {
    if (is_loopback(endpoint)) continue;
    throw std::runtime_error("that is " + listen_uri(endpoint) +
                             ", not on the loopback: write the address itself to listen there");
  }
  return endpoints;
}

std::string http_uri(const std::string& uri) {
  constexpr std::string_view tcp = "tcp";
  return uri.starts_with(tcp) ? "http" + uri.substr(tcp.size()) : "http+" + uri;
}

}  // namespace

HttpServer::HttpServer(const std::string& uri, unsigned unix_mode, HttpSources sources, const HttpLimits& limits)
    : limits_(limits),
      statistics_(sources.statistics),
      pages_([this](std::string target) { return answer(std::move(target)); }),
      pulse_(context_, std::move(sources.threads), std::move(sources.take), sources.patience) {
  for (const auto& endpoint : endpoints_of(uri))
    listeners_.push_back(std::make_unique<Listener>(context_, endpoint, unix_mode));
}

std::vector<std::string> HttpServer::uris() const {
  std::vector<std::string> uris;
  for (const auto& listener : listeners_) uris.push_back(http_uri(listener->uri()));
  return uris;
}

void HttpServer::start() {
  const AcceptHooks hooks{
      .next_context = [this]() -> asio::io_context& { return context_; },
      .accepted = [this](Socket socket, const StreamProtocol::endpoint&) { accept(std::move(socket)); },
      .room = [this] { return wait_for_room(); },
      .at_once_max = 1};  // for more there may be no room
  const auto pass_on = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  for (const auto& listener : listeners_) asio::co_spawn(context_, listener->accept_all(hooks), pass_on);
  thread_ = std::thread([this]() noexcept { context_.run(); });
}

void HttpServer::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<void> HttpServer::wait_for_room() {
  while (connections_.size() >= limits_.connections_max && !make_room()) {
    for (const auto& connection : connections_) connection->wind_up();
    if (full_log_.allows()) spdlog::warn("http: {} connections, all in use: others have to wait", connections_.size());
    if (room_.expiry() <= HttpConnection::Clock::now()) room_.expires_after(limits_.grace_time);
    co_await room_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

/// False where none may be ended yet.
bool HttpServer::make_room() {
  const auto idle_since = [](const auto& connection) { return connection->idle_since(); };
  const auto longest = std::ranges::min_element(connections_, {}, idle_since);
  if (idle_since(*longest) > HttpConnection::Clock::now() - limits_.grace_time) return false;
  (*longest)->close();
  connections_.erase(longest);
  return true;
}

void HttpServer::accept(Socket socket) {
  const auto connection = std::make_shared<HttpConnection>(std::move(socket), limits_, pages_);
  connections_.push_back(connection);
  asio::co_spawn(context_, connection->serve(), [this, connection](const std::exception_ptr& error) {
    connections_.remove(connection);
    room_.cancel();
    if (error) spdlog::error("http: {}: a connection is dropped", reason(error));
  });
}

asio::awaitable<PageText> HttpServer::answer(std::string target) {
  const auto page = page_of(target);
  if (!page) co_return no_such_page();
  if (*page == Page::readiness && stopping_) co_return stopping_page();
  Vitals vitals;
  if (needs_vitals(*page)) vitals = co_await pulse_.ask();
  co_return show(*page, vitals, statistics_);
}

}  // namespace lockd::server
