// epoll, with its errors as exceptions.
#include "bench/poller.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace lockd::bench {
namespace {

constexpr int patience_ms = 60'000;

}  // namespace

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.fd() < 0) throw_errno("epoll_create1");
}

void Poller::add(const Socket& socket, std::size_t number) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = number}};
  if (epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, socket.fd(), &event) != 0) throw_errno("epoll_ctl");
}

std::size_t Poller::wait_for(int timeout_ms, const Ready& ready) {
  std::array<epoll_event, 256> events;  // NOLINT(cppcoreguidelines-pro-type-member-init): the kernel fills it
  int count = 0;
  do {
    count = epoll_wait(epoll_.fd(), events.data(), static_cast<int>(events.size()), timeout_ms);
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw_errno("epoll_wait");
  for (int i = 0; i < count; ++i) ready(events[static_cast<std::size_t>(i)].data.u64);
  return static_cast<std::size_t>(count);
}

std::size_t Poller::poll(const Ready& ready) { return wait_for(0, ready); }

void Poller::wait(const Ready& ready) {
  if (wait_for(patience_ms, ready) == 0) throw std::runtime_error("the server has been silent for a minute");
}

}  // namespace lockd::bench
