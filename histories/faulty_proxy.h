// A server that is not right: a proxy before a good one. It shows that a run finds faults, from end to end.
#ifndef LOCKD_HISTORIES_FAULTY_PROXY_H_
#define LOCKD_HISTORIES_FAULTY_PROXY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::histories {

/// What is done wrong, once in a while. `honest` does nothing wrong: a proxy that a run must not complain of.
enum class ProxyFault : std::uint8_t {
  none,  // no proxy at all
  honest,
  double_grant,       // who is refused an exclusive lock is told that he has it
  lost_release,       // a client's reset does not end its session, and the server does not own up to that
  reordered_replies,  // two replies change places
  stale_read,         // a lock that is free is said to be locked
  repeated_token,     // the token of the last who asked is told once more
  wrong_count,        // one holder too many
};

/// By the names above; nothing for another.
std::optional<ProxyFault> proxy_fault(std::string_view name);
const std::vector<std::string>& proxy_fault_names();

/// Runs in a process of its own from the constructor to the destructor, and never longer than its parent.
class FaultyProxy {
 public:
  FaultyProxy(const std::string& server_uri, ProxyFault fault);
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;
  ~FaultyProxy();

  /// Where it listens.
  const std::string& uri() const { return uri_; }

 private:
  std::string uri_;
  pid_t pid_ = -1;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_FAULTY_PROXY_H_
