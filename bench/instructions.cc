// Plays fixed traffic (server/test_traffic.h) for callgrind to count: ci/instructions runs this under valgrind with
// collecting off, and each traffic's rounds are a dump of their own. Prints a line `version NAME VALUE` for whatever
// the number of instructions depends on besides the sources, then `traffic NAME REQUESTS` for each.
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <valgrind/callgrind.h>

#include <boost/version.hpp>

#include "bench/program.h"
#include "server/test_traffic.h"

namespace lockd::bench {
namespace {

constexpr int warm_up_rounds = 3;
constexpr std::size_t requests_least = 2'000;  // counted, of each traffic

void print_versions() {
  fmt::print("version compiler {}\n", __VERSION__);
  fmt::print("version flags {}\n", LOCKD_BUILD_FLAGS);
  fmt::print("version libc {}\n", gnu_get_libc_version());
  fmt::print("version boost {}\n", BOOST_LIB_VERSION);
  fmt::print("version avx2 {}\n", __builtin_cpu_supports("avx2") != 0 ? "yes" : "no");  // what libc chooses memcpy by
}

void count(const server::Traffic& traffic) {
  server::TrafficPlay play(traffic);
  for (int round = 0; round < warm_up_rounds; ++round) play.play();
  const std::size_t rounds = requests_least / traffic.request_count() + 1;
  CALLGRIND_TOGGLE_COLLECT;
  for (std::size_t round = 0; round < rounds; ++round) play.play();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(traffic.name.c_str());
  fmt::print("traffic {} {}\n", traffic.name, rounds * traffic.request_count());
}

int run() {
  print_versions();
  for (const server::Traffic& traffic : server::all_traffic()) count(traffic);
  return 0;
}

}  // namespace
}  // namespace lockd::bench

int main() { return lockd::bench::run_program("instructions", lockd::bench::run); }
