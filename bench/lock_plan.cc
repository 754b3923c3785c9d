// The arithmetic of the plan. Odd requests of a connection are shared gets, even ones exclusive.
#include "bench/lock_plan.h"

#include <fmt/core.h>

#include <charconv>
#include <stdexcept>

namespace lockd::bench {
namespace {

bool is_shared(std::size_t index) { return index % 2 == 1; }

}  // namespace

LockPlan::LockPlan(std::size_t connections, std::size_t locks) : connections_(connections), per_kind_(locks / 2) {
  if (connections < holders_per_key)
    throw std::invalid_argument("at least 10 connections: a shared key has 10 holders");
  if (locks < 2 || locks % 2 != 0) throw std::invalid_argument("the number of locks must be even, 2 or more");
}

std::size_t LockPlan::locks_of(std::size_t connection) const {
  return 2 * ((per_kind_ + connections_ - 1 - connection) / connections_);
}

std::string LockPlan::key(std::size_t connection, std::size_t index) const {
  const std::size_t number = connection + index / 2 * connections_;
  return is_shared(index) ? fmt::format("shared-{:014}", number / holders_per_key)
                          : fmt::format("exclusive-{:011}", number);
}

std::string LockPlan::request(std::size_t connection, std::size_t index) const {
  return fmt::format("{} {}\n", is_shared(index) ? "sg" : "g", key(connection, index));
}

bool LockPlan::accepts(std::size_t connection, std::size_t index, std::string_view reply) const {
  std::size_t number = 0;
  const auto [rest, error] = std::from_chars(reply.data(), reply.data() + reply.size(), number);
  if (error != std::errc{}) return false;
  const std::string_view text = reply.substr(static_cast<std::size_t>(rest - reply.data()));
  if (!is_shared(index)) return number == 1 && text == " Lock Get Success: " + key(connection, index);
  return number >= 1 && number <= holders_per_key && text == " Shared Lock Get Success: " + key(connection, index);
}

}  // namespace lockd::bench
