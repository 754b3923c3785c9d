// Beside the lock table: a bare flat map, which does the same inserts and erases and knows nothing else. Its keys lie
// in its places, as those of the lock table lie in its records: none is on the heap.
#include <benchmark/benchmark.h>

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>

#include "bench/engine_bench.h"
#include "bench/script.h"

namespace lockd::bench {
namespace {

// Up to 24 bytes, with zeros behind them.
using FixedKey = std::array<char, 24>;

FixedKey fixed(std::string_view key) {
  FixedKey bytes{};
  key.copy(bytes.data(), bytes.size());
  return bytes;
}

std::vector<FixedKey> fixed(const std::vector<std::string>& keys) {
  std::vector<FixedKey> all;
  for (const std::string& key : keys) all.push_back(fixed(key));
  return all;
}

// The standard library's hash, which anybody can foresee.
struct UsualHash {
  std::size_t operator()(const FixedKey& key) const {
    return std::hash<std::string_view>()(std::string_view(key.data(), key.size()));
  }
};

// h = 33 h + byte, without a seed.
struct PlainHash {
  std::size_t operator()(const FixedKey& key) const {
    std::size_t hash = 5381;
    for (const char byte : key) hash = 33 * hash + static_cast<unsigned char>(byte);
    return hash;
  }
};

template <class Map>
void insert_and_erase(benchmark::State& state, Map& map, const std::vector<FixedKey>& keys) {
  std::size_t next = 0;
  while (state.KeepRunning()) {
    const FixedKey& key = keys[next++ % keys.size()];
    benchmark::DoNotOptimize(map.emplace(key, SessionId{next}));
    benchmark::DoNotOptimize(map.erase(key));
  }
}

// The keys of get_and_release_exclusive into a flat map and out again; full, it has as many keys as a full table.
void plain_map_insert_and_erase(benchmark::State& state) {
  boost::unordered_flat_map<FixedKey, SessionId, UsualHash> map;
  const std::size_t held = state.range(0) != 0 ? lock_count / 2 + lock_count / 2 / holders_per_key : 0;
  for (std::size_t number = 0; number < held; ++number) map.emplace(fixed(bench_key(number)), SessionId{1});
  insert_and_erase(state, map, fixed(keys_from(2 * lock_count, 1)));
}

// What the hostile keys of the load generator (range(0) is 1) do to such a map, half of 1,024 being held.
void plain_map_hostile(benchmark::State& state) {
  boost::unordered_flat_map<FixedKey, SessionId, PlainHash> map;
  constexpr std::size_t crowd = 1'024;
  std::vector<std::string> keys;
  for (std::size_t n = 0; n < crowd; ++n) keys.push_back(bench::key_of(state.range(0) != 0, n / 16, n % 16));
  for (std::size_t n = 0; n < crowd / 2; ++n) map.emplace(fixed(keys[n]), SessionId{1});
  keys.erase(keys.begin(), keys.begin() + crowd / 2);
  insert_and_erase(state, map, fixed(keys));
}

// {whether the map is full, or the keys are hostile}
BENCHMARK(plain_map_insert_and_erase)->Arg(0)->Arg(1);
BENCHMARK(plain_map_hostile)->Arg(0)->Arg(1);

}  // namespace
}  // namespace lockd::bench
