#include "server/poller.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <span>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace asio = boost::asio;

namespace {

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

/// A system call, again where a signal came between.
template <class Call>
ssize_t uninterrupted(Call call) {
  ssize_t result = 0;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace

// ---- the set ----

Poller::Poller(asio::io_context& context) : context_(context), epoll_(context) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw boost::system::system_error(last_error(), "epoll_create1");
  boost::system::error_code error;
  epoll_.assign(fd, error);
  if (!error) return;
  ::close(fd);
  throw boost::system::system_error(error, "epoll_create1");
}

/// A handler that is dropped may own its socket, which leaves the list then, and others.
Poller::~Poller() {
  while (!sockets_.empty()) {
    PolledSocket& socket = sockets_.front();
    remove(socket);
    const ReadyHandler reads = std::move(socket.reads_);
    const ReadyHandler writes = std::move(socket.writes_);
  }
}

void Poller::await_events() {
  if (waiting_ || sockets_.empty()) return;
  waiting_ = true;
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& error) {
    if (error == asio::error::operation_aborted) return;  // the poller may be gone
    if (error) throw boost::system::system_error(error, "waiting for the epoll set");
    waiting_ = false;
    pass();
  });
}

void Poller::pass() {
  const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  if (count < 0 && errno != EINTR) throw boost::system::system_error(last_error(), "epoll_wait");
  event_count_ = count < 0 ? 0 : static_cast<std::size_t>(count);
  ++pass_count_;
  is_passing_ = true;
  for (std::size_t at = 0; at < event_count_; ++at) {
    const epoll_event event = events_[at];  // null if its socket has gone in this pass
    if (event.data.ptr != nullptr) static_cast<PolledSocket*>(event.data.ptr)->notify(event.events);
  }
  event_count_ = 0;
  is_passing_ = false;
  await_events();
}

boost::system::error_code Poller::control(int operation, const PolledSocket& socket, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = const_cast<PolledSocket*>(&socket)}};
  if (::epoll_ctl(epoll_.native_handle(), operation, socket.fd_, &event) != 0) return last_error();
  return {};
}

boost::system::error_code Poller::add(PolledSocket& socket, std::uint32_t events) {
  if (const auto error = control(EPOLL_CTL_ADD, socket, events)) return error;
  sockets_.push_back(socket);
  await_events();
  return {};
}

/// Tells the kernel, as closing does not where another descriptor of the same socket is open; and forgets what the
/// kernel has said of the socket in this pass.
void Poller::remove(PolledSocket& socket) {
  LOCKD_CHECK(!control(EPOLL_CTL_DEL, socket, 0), "the kernel knows the sockets that are watched");
  socket.unlink();
  for (epoll_event& event : std::span(events_).first(event_count_))
    if (event.data.ptr == &socket) event.data.ptr = nullptr;
}

void Poller::log_failure(const boost::system::error_code& error) {
  if (!failure_log_.allows()) return;
  const bool is_limit = error == boost::system::errc::no_space_on_device;
  spdlog::error("a connection is lost, as its socket can't be watched: {}{}", error.message(),
                is_limit ? " (raise the kernel's limit, fs.epoll.max_user_watches)" : "");
}

// ---- a socket ----

PolledSocket::PolledSocket(PolledSocket&& other) noexcept : poller_(other.poller_), fd_(std::exchange(other.fd_, -1)) {
  LOCKD_CHECK(!other.is_linked(), "a socket that waits does not move");
}

PolledSocket::~PolledSocket() {
  if (is_linked()) poller_->remove(*this);
  if (fd_ >= 0) ::close(fd_);
}

PolledSocket::Error PolledSocket::begin_wait(wait_type direction, const ReadyHandler& pending) {
  LOCKD_CHECK(fd_ >= 0, "only an open socket is waited for");
  LOCKD_CHECK(!pending, "one wait for each direction");
  const std::uint32_t event = direction == wait_read ? EPOLLIN : EPOLLOUT;
  return (armed_ & event) != 0 ? Error() : arm(armed_ | event);
}

/// Not from within the call that asked for the wait.
void PolledSocket::give_up(ReadyHandler handler, const Error& error) {
  poller_->log_failure(error);
  asio::post(poller_->context_, [called = std::move(handler), error]() mutable { called(error); });
}

/// What the kernel is to report from now on: usually what it does already.
PolledSocket::Error PolledSocket::arm(std::uint32_t events) {
  const bool is_about_something = (events & (EPOLLIN | EPOLLOUT)) != 0;
  events = is_about_something ? events & ~std::uint32_t{EPOLLET} : nothing;
  if (events == armed_) return {};
  const Error error = is_linked() ? poller_->control(EPOLL_CTL_MOD, *this, events) : poller_->add(*this, events);
  if (!error) armed_ = events;
  return error;
}

/// Those who wait are told, once. What nobody waits for is not reported again: a session that does not want to read now
/// must not keep the thread busy. A handler may close or destroy the socket.
void PolledSocket::notify(std::uint32_t events) {
  const bool is_broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool is_readable = is_broken || (events & EPOLLIN) != 0;
  const bool is_writable = is_broken || (events & EPOLLOUT) != 0;
  std::uint32_t unwanted = 0;
  if (is_readable && !reads_) unwanted |= EPOLLIN;
  if (is_writable && !writes_) unwanted |= EPOLLOUT;
  LOCKD_CHECK(unwanted == 0 || !arm(armed_ & ~unwanted), "a socket that is watched can be watched less");
  ReadyHandler reads = is_readable ? std::move(reads_) : ReadyHandler();
  ReadyHandler writes = is_writable ? std::move(writes_) : ReadyHandler();
  if (reads) reads({});
  if (writes) writes({});
}

std::size_t PolledSocket::read_some(const asio::mutable_buffer& buffer, Error& error) {
  const ssize_t bytes = uninterrupted([&] { return ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT); });
  error = bytes > 0 ? Error() : bytes == 0 ? Error(asio::error::eof) : last_error();
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::size_t PolledSocket::write_some(const asio::const_buffer& buffer, Error& error) {
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  const ssize_t bytes = uninterrupted([&] { return ::send(fd_, buffer.data(), buffer.size(), flags); });
  error = bytes >= 0 ? Error() : last_error();
  return bytes >= 0 ? static_cast<std::size_t>(bytes) : 0;
}

void PolledSocket::shutdown(shutdown_type what, Error& error) {
  error = ::shutdown(fd_, static_cast<int>(what)) == 0 ? Error() : last_error();
}

void PolledSocket::close(Error& error) {
  error = {};
  if (is_linked()) poller_->remove(*this);
  if (const int fd = std::exchange(fd_, -1); fd >= 0 && ::close(fd) != 0) error = last_error();
  if (!reads_ && !writes_) return;
  asio::post(poller_->context_, [reads = std::move(reads_), writes = std::move(writes_)] {});
}

}  // namespace lockd::server
