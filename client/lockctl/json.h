// The documents of --json. Each is one line, without its end.
//
// JSON holds UTF-8 alone, and keys and names are bytes. Where one is not UTF-8, its text has \xHH (as letters: a
// backslash, an x, two digits) for each byte that is not, and beside it stands the whole in base64, by the same name
// and _base64: {"key": "caf\\xE9", "key_base64": "Y2Fm6Q=="}.
#ifndef LOCKD_CLIENT_LOCKCTL_JSON_H_
#define LOCKD_CLIENT_LOCKCTL_JSON_H_

#include <lockd/client.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client/lockctl/bench_figures.h"

namespace lockd::lockctl {

/// How many hold and await one key (`lockctl inspect`).
struct Inspection {
  std::uint64_t holders = 0;
  std::uint64_t waiters = 0;
};

namespace json {

/// {"key":...,"mode":"exclusive","token":N,"holders":N}
std::string held(std::string_view key, Mode mode, std::uint64_t token, std::uint64_t holders);

/// {"key":...,"exclusive":{"holders":N,"waiters":N},"shared":{...}}: the kinds that were looked at, null for others.
std::string inspection(std::string_view key, const Inspection* exclusive, const Inspection* shared);

/// [{"mode":"exclusive","state":"held","age_ms":N,"token":N,"holder":...,"key":...},...]; a waiter's token is null.
std::string list(const std::vector<ListedLock>& locks);

/// [{"key":...},...]
std::string keys(const std::vector<std::string>& keys);

/// [{"address":...,"name":...},...]
std::string who(const std::vector<Identity>& identities);

/// {"name":N,...}
std::string stats(const std::map<std::string, std::uint64_t>& counters);

/// {"pong":true,"microseconds":N}
std::string pong(std::chrono::microseconds took);

/// {"lockctl":"X.Y.Z","lockd":"X.Y.Z"}
std::string versions(std::string_view own, std::string_view server);

/// {"lockd":"X.Y.Z","shapes":[{"name":...,"connections":N,"requests":N,"requests_per_second":N,
/// "latency_us":{"p50":N,...}},...]}
std::string bench(std::string_view version, const std::vector<BenchFigures>& shapes);

}  // namespace json

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_JSON_H_
