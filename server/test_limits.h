// Limits of the process, for tests.
#ifndef LOCKD_SERVER_TEST_LIMITS_H_
#define LOCKD_SERVER_TEST_LIMITS_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lockd::server {

/// As long as this lives the limit on descriptors may change: in the end it is as it was.
class DescriptorLimit {
 public:
  DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  const rlimit& before() const { return before_; }

 private:
  rlimit before_{};
};

/// The limit on descriptors is at what is open now, as long as this lives.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    const int next_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next_free);
    const rlimit none{static_cast<rlim_t>(next_free), limit_.before().rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }

 private:
  DescriptorLimit limit_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_LIMITS_H_
