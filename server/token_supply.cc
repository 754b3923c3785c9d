#include "server/token_supply.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "server/reason.h"

namespace lockd::server {

namespace {

std::uint64_t block_behind(std::uint64_t token) { return std::min(token + TokenSupply::block, engine::token_limit); }

void give_back_from(TokenStore& store, std::uint64_t first_unused) {
  try {
    store.set_mark(first_unused);
  } catch (const std::exception& error) {
    spdlog::warn("unused tokens are not given back: {}", error.what());
  }
}

}  // namespace

std::uint64_t token_of_clock(std::chrono::system_clock::time_point now) {
  const auto since_1970 = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return since_1970 < 1 ? 1 : static_cast<std::uint64_t>(since_1970);
}

std::uint64_t TokenSupply::reserve_first(TokenStore& store, std::chrono::system_clock::time_point now) {
  const std::uint64_t first = std::max(store.mark(), token_of_clock(now));
  if (first >= engine::token_limit) throw std::runtime_error("all tokens are used up");
  store.set_mark(block_behind(first));
  return first;
}

void TokenSupply::top_up() {
  const std::uint64_t end = source_.end();
  const std::uint64_t left = end - source_.next();
  if (left >= block / 2) return;
  if (end == engine::token_limit) {
    if (!std::exchange(failing_, true))
      spdlog::error("the last tokens are in use: after {} more, grants are refused", left);
    return;
  }
  try {
    store_.set_mark(block_behind(end));
    source_.raise_end(store_.mark());
    if (std::exchange(failing_, false)) spdlog::info("tokens are reserved again");
  } catch (const std::exception& error) {
    if (std::exchange(failing_, true)) return;
    spdlog::error("no tokens can be reserved: {}: after {} more, grants are refused", error.what(), left);
  }
}

void TokenSupply::give_back() { give_back_from(store_, source_.next()); }

TokenKeeper::TokenKeeper(TokenStore& store, engine::TokenSource& source)
    : supply_(store, source), thread_([this](const std::stop_token& stop) { run(stop); }) {}

TokenKeeper::~TokenKeeper() {
  thread_.request_stop();
  thread_.join();
  supply_.give_back();
}

void TokenKeeper::run(const std::stop_token& stop) {
  constexpr std::chrono::seconds period{1};
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, stop, period, [&stop] { return stop.stop_requested(); })) supply_.top_up();
}

Tokens::Tokens(const std::string& state_directory) {
  const auto now = std::chrono::system_clock::now();
  if (state_directory.empty()) {
    first_ = token_of_clock(now);
    return;
  }
  try {
    store_ = std::make_unique<TokenStore>(state_directory);
    first_ = TokenSupply::reserve_first(*store_, now);
  } catch (const std::system_error& error) {
    throw std::runtime_error(std::string("--state-dir: ") + error.what() + file_advice(error.code().value()));
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string("--state-dir: ") + error.what());
  }
}

Tokens::~Tokens() {
  if (store_ && !is_used_) give_back_from(*store_, first_);
}

std::unique_ptr<TokenKeeper> Tokens::keep_supplied(engine::TokenSource& source) {
  if (!store_) return nullptr;
  auto keeper = std::make_unique<TokenKeeper>(*store_, source);
  is_used_ = true;
  return keeper;
}

}  // namespace lockd::server
