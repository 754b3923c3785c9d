#include "client/lockctl/json.h"

#include <boost/json.hpp>

#include "client/lockctl/locking.h"
#include "client/lockctl/text.h"

namespace lockd::lockctl::json {

namespace {

using boost::json::array;
using boost::json::object;

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? digits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

void put_bytes(object& target, const std::string& name, std::string_view bytes) {
  target[name] = as_utf8(bytes);
  if (!is_utf8(bytes)) target[name + "_base64"] = base64(bytes);
}

object counts(const Inspection& inspection) {
  return {{"holders", inspection.holders}, {"waiters", inspection.waiters}};
}

object shape(const BenchFigures& figures) {
  const Latencies& each = figures.latencies;
  const double rate = figures.seconds > 0 ? static_cast<double>(figures.requests) / figures.seconds : 0;
  return {{"name", figures.name},
          {"connections", figures.connections},
          {"requests", figures.requests},
          {"requests_per_second", static_cast<std::uint64_t>(rate)},
          {"latency_us", object{{"p50", each.p50_us},
                                {"p90", each.p90_us},
                                {"p99", each.p99_us},
                                {"p99_9", each.p999_us},
                                {"max", each.max_us}}}};
}

}  // namespace

std::string held(std::string_view key, Mode mode, std::uint64_t token, std::uint64_t holders) {
  object document;
  put_bytes(document, "key", key);
  document["mode"] = name_of(mode);
  document["token"] = token;
  document["holders"] = holders;
  return boost::json::serialize(document);
}

std::string inspection(std::string_view key, const Inspection* exclusive, const Inspection* shared) {
  object document;
  put_bytes(document, "key", key);
  document["exclusive"] = nullptr;
  document["shared"] = nullptr;
  if (exclusive != nullptr) document["exclusive"] = counts(*exclusive);
  if (shared != nullptr) document["shared"] = counts(*shared);
  return boost::json::serialize(document);
}

std::string list(const std::vector<ListedLock>& locks) {
  array document;
  for (const ListedLock& lock : locks) {
    object entry = {{"mode", name_of(lock.mode)},
                    {"state", lock.waiting ? "waiting" : "held"},
                    {"age_ms", lock.age.count()},
                    {"token", nullptr}};
    if (!lock.waiting) entry["token"] = lock.token;
    put_bytes(entry, "holder", lock.holder);
    put_bytes(entry, "key", lock.key);
    document.push_back(std::move(entry));
  }
  return boost::json::serialize(document);
}

std::string keys(const std::vector<std::string>& keys) {
  array document;
  for (const std::string& key : keys) {
    object entry;
    put_bytes(entry, "key", key);
    document.push_back(std::move(entry));
  }
  return boost::json::serialize(document);
}

std::string who(const std::vector<Identity>& identities) {
  array document;
  for (const Identity& identity : identities) {
    object entry = {{"address", as_utf8(identity.address)}};
    put_bytes(entry, "name", identity.name);
    document.push_back(std::move(entry));
  }
  return boost::json::serialize(document);
}

std::string stats(const std::map<std::string, std::uint64_t>& counters) {
  object document;
  for (const auto& [name, number] : counters) document[as_utf8(name)] = number;
  return boost::json::serialize(document);
}

std::string pong(std::chrono::microseconds took) {
  return boost::json::serialize(object{{"pong", true}, {"microseconds", took.count()}});
}

std::string versions(std::string_view own, std::string_view server) {
  return boost::json::serialize(object{{"lockctl", own}, {"lockd", as_utf8(server)}});
}

std::string bench(std::string_view version, const std::vector<BenchFigures>& shapes) {
  array all;
  for (const BenchFigures& figures : shapes) all.push_back(shape(figures));
  return boost::json::serialize(object{{"lockd", as_utf8(version)}, {"shapes", std::move(all)}});
}

}  // namespace lockd::lockctl::json
