// The three tables of texts.
#include "bench/dialect.h"

#include <fmt/core.h>

#include <initializer_list>
#include <stdexcept>

namespace lockd::bench {
namespace {

Exchange of_lockd(Operation operation, std::string_view key, std::size_t count) {
  const auto lines = [key](std::string_view verb, const std::string& yes, std::string_view no) {
    return Exchange{fmt::format("{} {}\n", verb, key), fmt::format("{}: {}\n", yes, key),
                    fmt::format("0 {}: {}\n", no, key)};
  };
  switch (operation) {
    case Operation::acquire:
      return lines("g", "1 Lock Get Success", "Lock Get Failure");
    case Operation::acquire_wait:
      return lines("gw 60000", "1 Lock Get Success", "Lock Get Timeout");
    case Operation::release:
      return lines("r", "1 Lock Release Success", "Lock Release Failure");
    case Operation::inspect:
      return lines("i", "1 Lock Is Locked", "Lock Not Locked");
    case Operation::share:
      return lines("sg", fmt::format("{} Shared Lock Get Success", count), "Shared Lock Get Failure");
    case Operation::unshare:
      return lines("sr", "1 Shared Lock Release Success", "Shared Lock Release Failure");
    case Operation::inspect_shared:
      return lines("si", fmt::format("{} Shared Lock Is Locked", count), "Shared Lock Not Locked");
  }
  throw std::logic_error("no such operation");
}

Exchange of_memcached(Operation operation, std::string_view key) {
  switch (operation) {
    case Operation::acquire:
      return {fmt::format("add {} 0 0 1\r\n1\r\n", key), "STORED\r\n", "NOT_STORED\r\n"};
    case Operation::release:
      return {fmt::format("delete {}\r\n", key), "DELETED\r\n", "NOT_FOUND\r\n"};
    case Operation::inspect:
      return {fmt::format("get {}\r\n", key), fmt::format("VALUE {} 0 1\r\n1\r\nEND\r\n", key), "END\r\n"};
    default:
      throw std::invalid_argument("memcached knows acquire, release and inspect alone");
  }
}

// As an array of bulk strings, which is what Redis clients send.
std::string resp(std::initializer_list<std::string_view> words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) request += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return request;
}

Exchange of_redis(Operation operation, std::string_view key) {
  switch (operation) {
    case Operation::acquire:
      return {resp({"SET", key, "1", "NX"}), "+OK\r\n", "$-1\r\n"};
    case Operation::release:
      return {resp({"DEL", key}), ":1\r\n", ":0\r\n"};
    case Operation::inspect:
      return {resp({"EXISTS", key}), ":1\r\n", ":0\r\n"};
    default:
      throw std::invalid_argument("Redis knows acquire, release and inspect alone");
  }
}

}  // namespace

Exchange exchange(Dialect dialect, Operation operation, std::string_view key, std::size_t count) {
  switch (dialect) {
    case Dialect::lockd:
      return of_lockd(operation, key, count);
    case Dialect::memcached:
      return of_memcached(operation, key);
    case Dialect::redis:
      return of_redis(operation, key);
  }
  throw std::logic_error("no such dialect");
}

Exchange greeting(Dialect dialect) {
  switch (dialect) {
    case Dialect::lockd:
      return {.request = "ping\n", .yes = "1 pong\n", .no = {}};
    case Dialect::memcached:
      return {.request = "mn\r\n", .yes = "MN\r\n", .no = {}};
    case Dialect::redis:
      return {.request = resp({"PING"}), .yes = "+PONG\r\n", .no = {}};
  }
  throw std::logic_error("no such dialect");
}

}  // namespace lockd::bench
