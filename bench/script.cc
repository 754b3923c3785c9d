// Requests of each workload, cut into batches.
#include "bench/script.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace lockd::bench {
namespace {

constexpr std::size_t opening_depth = 100;  // requests in a batch of what comes before the measuring

/// A request with the replies that are right.
struct Request {
  std::string text;
  std::vector<std::string> replies;
};

Request certain(const Exchange& exchange) { return {exchange.request, {exchange.yes}}; }
Request contended(const Exchange& exchange) { return {exchange.request, {exchange.yes, exchange.no}}; }

Batch batch_of(const Request* first, std::size_t count) {
  Batch batch;
  batch.count = count;
  bool is_exact = true;
  for (const Request* request = first; request != first + count; ++request) {
    batch.requests += request->text;
    batch.replies.push_back(request->replies);
    batch.exact += request->replies.front();
    is_exact = is_exact && request->replies.size() == 1;
  }
  if (!is_exact) batch.exact.clear();
  return batch;
}

// The last batch may be smaller.
std::vector<Batch> cut(const std::vector<Request>& requests, std::size_t size) {
  std::vector<Batch> batches;
  for (std::size_t first = 0; first < requests.size(); first += size) {
    batches.push_back(batch_of(requests.data() + first, std::min(size, requests.size() - first)));
  }
  return batches;
}

// Makes what one connection sends.
class Writer {
 public:
  Writer(const Shape& shape, std::size_t connection) : shape_(shape), connection_(connection) {}

  Script script() const {
    switch (shape_.workload) {
      case Workload::own:
        return pairs(Operation::acquire, Operation::release);
      case Workload::shared:
        return pairs(Operation::share, Operation::unshare);
      case Workload::hot:
        return hot();
      case Workload::inspect:
        return inspect();
      case Workload::waits:
        return waits();
      case Workload::crowd:
        return crowd();
      case Workload::hoard:
        return hoard();
      case Workload::crowd_inspect:
        return crowd_inspect();
    }
    throw std::logic_error("no such workload");
  }

 private:
  Exchange of(Operation operation, std::string_view key, std::size_t count = 1) const {
    return exchange(shape_.dialect, operation, key, count);
  }

  // So many that the batches of their requests come out even.
  std::size_t key_count() const { return (shape_.keys + shape_.depth - 1) / shape_.depth * shape_.depth; }
  std::string own_key(std::size_t number) const { return key_of(shape_.hostile_keys, connection_, number); }

  // Of each key.
  std::vector<Request> certainly(Operation operation) const {
    std::vector<Request> requests;
    for (std::size_t number = 0; number < key_count(); ++number)
      requests.push_back(certain(of(operation, own_key(number))));
    return requests;
  }

  // A peer's key outlives the connection that set it, in an earlier round perhaps: so it is released first.
  std::vector<Batch> release_of_what_is_left() const {
    if (shape_.dialect == Dialect::lockd) return {};
    std::vector<Request> requests;
    for (std::size_t number = 0; number < key_count(); ++number)
      requests.push_back(contended(of(Operation::release, own_key(number))));
    return cut(requests, opening_depth);
  }

  Script pairs(Operation take, Operation give) const {
    std::vector<Request> requests;
    for (std::size_t number = 0; number < key_count(); ++number) {
      requests.push_back(certain(of(take, own_key(number))));
      requests.push_back(certain(of(give, own_key(number))));
    }
    return {.opening = release_of_what_is_left(), .loop = cut(requests, shape_.depth)};
  }

  Script hoard() const {
    std::vector<Request> requests = certainly(Operation::acquire);
    std::ranges::copy(certainly(Operation::release), std::back_inserter(requests));
    return {.opening = release_of_what_is_left(), .loop = cut(requests, shape_.depth)};
  }

  Script hot() const {
    std::vector<Request> requests;
    for (std::size_t number = 0; number < key_count(); ++number) {
      const std::string key = key_of(shape_.hostile_keys, 0, number);
      requests.push_back(contended(of(Operation::acquire, key)));
      requests.push_back(contended(of(Operation::release, key)));
    }
    return {.opening = {}, .loop = cut(requests, shape_.depth)};
  }

  Script inspect() const {
    std::vector<Request> taken;
    for (std::size_t number = 0; number < key_count(); ++number)
      taken.push_back(contended(of(Operation::acquire, own_key(number))));
    return {.opening = cut(taken, opening_depth), .loop = cut(certainly(Operation::inspect), shape_.depth)};
  }

  // Whoever is granted the key sends its release and its next get in one piece: it is in line again before the other
  // one can know that it was handed the key, so that every get but the first is a wait and every release a hand-over.
  Script waits() const {
    if (shape_.connections % 2 != 0) throw std::invalid_argument("waits need an even number of connections");
    if (shape_.depth != 1) throw std::invalid_argument("waits have one request in flight: --depth 1");
    const std::string key = key_of(shape_.hostile_keys, connection_ / 2, 0);
    const Request wait = certain(of(Operation::acquire_wait, key));
    return {.opening = cut({wait}, 1), .loop = cut({certain(of(Operation::release, key)), wait}, 2)};
  }

  Script crowd() const {
    Request share{of(Operation::share, crowd_key).request, {}};
    for (std::size_t beside = 1; beside <= shape_.connections; ++beside) {
      share.replies.push_back(of(Operation::share, crowd_key, shape_.holders + beside).yes);
    }
    std::vector<Request> requests;
    for (std::size_t number = 0; number < shape_.depth; ++number) {
      requests.push_back(share);
      requests.push_back(certain(of(Operation::unshare, crowd_key)));
    }
    return {.opening = {}, .loop = cut(requests, shape_.depth)};
  }

  Script crowd_inspect() const {
    if (shape_.holders == 0) throw std::invalid_argument("a crowd to look at needs --holders 1 or more");
    const std::vector<Request> requests(shape_.depth,
                                        certain(of(Operation::inspect_shared, crowd_key, shape_.holders)));
    return {.opening = {}, .loop = cut(requests, shape_.depth)};
  }

  const Shape& shape_;
  std::size_t connection_;
};

// Ten places for "Ez" or "FY", which that hash cannot tell apart, and a last letter.
std::string hostile_key(std::size_t number) {
  constexpr std::size_t places = 10;
  std::string key;
  for (std::size_t place = 0; place < places; ++place) key += (number >> place) % 2 == 0 ? "Ez" : "FY";
  const std::size_t letter = number >> places;
  if (letter > 'z' - '!') throw std::invalid_argument("there are not so many hostile keys");
  return key + static_cast<char>('!' + letter);
}

}  // namespace

std::string key_of(bool hostile, std::size_t connection, std::size_t number) {
  constexpr std::size_t hostile_keys_each = 16;  // one crowd of 1,024 for 64 connections, and then the next one
  if (hostile)
    return hostile_key(number / hostile_keys_each * 1024 + connection * hostile_keys_each + number % hostile_keys_each);
  return fmt::format("load-{:05}-{:010}", connection, number);
}

Script script_of(const Shape& shape, std::size_t connection) {
  if (shape.connections == 0 || shape.depth == 0 || shape.keys == 0)
    throw std::invalid_argument("connections, requests in flight and keys: at least one of each");
  if (shape.hostile_keys && shape.connections > 64)
    throw std::invalid_argument("hostile keys are there for 64 connections at most");
  return Writer(shape, connection).script();
}

std::size_t match_reply(const std::vector<std::string>& any_of, std::string_view bytes) {
  bool may_become_one = false;
  for (const std::string& reply : any_of) {
    if (bytes.starts_with(reply)) return reply.size();
    may_become_one = may_become_one || reply.starts_with(bytes);
  }
  if (may_become_one) return 0;
  throw std::runtime_error(
      fmt::format("a wrong reply: {:?}, where {:?} was expected", bytes.substr(0, 200), any_of.front()));
}

}  // namespace lockd::bench
