#include "server/http/http_server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <stdexcept>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

namespace {

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
      pages_([this](const HttpConnection& connection, std::string target) {
        return answer(connection, std::move(target));
      }),
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
  const AcceptHooks hooks{[this]() -> asio::io_context& { return context_; },
                          [this](Socket socket, const StreamProtocol::endpoint&) { accept(std::move(socket)); }};
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

void HttpServer::accept(Socket socket) {
  if (connections_.size() >= limits_.connections_max) {
    connections_.front()->close();
    connections_.pop_front();
  }
  const auto connection = std::make_shared<HttpConnection>(std::move(socket), limits_, pages_);
  connections_.push_back(connection);
  asio::co_spawn(context_, connection->serve(), [this, connection](const std::exception_ptr& error) {
    connections_.remove(connection);
    if (error) spdlog::error("http: out of memory: a connection is dropped");
  });
}

asio::awaitable<PageText> HttpServer::answer(const HttpConnection& connection, std::string target) {
  const auto at = std::ranges::find(connections_, &connection, &std::shared_ptr<HttpConnection>::get);
  if (at != connections_.end()) connections_.splice(connections_.end(), connections_, at);

  const auto page = page_of(target);
  if (!page) co_return no_such_page();
  if (*page == Page::readiness && stopping_) co_return stopping_page();
  Vitals vitals;
  if (needs_vitals(*page)) vitals = co_await pulse_.ask();
  co_return show(*page, vitals, statistics_);
}

}  // namespace lockd::server
