// Preloaded into the daemon: counts its allocations and system calls by kind, and lets one of them fail. Who drives it
// says which, and reads the counts, in a file that both have mapped: torture/control.py has its layout a second time.
//
// Only what is armed counts, so that the numbering begins where the driver wants it to.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

/// What happens to the chosen call where it is not an errno to fail with. From `lose` on they are canaries: faults of
/// the server, as it were, which the driver must report.
enum Fault : std::int32_t {
  cut = -1,      // no more than a part is read or written, and that is said
  lose = -2,     // of what is read a part is kept back, for good
  lie = -3,      // a part is written, and it is said to be all
  swallow = -4,  // nothing is written, and it is said to be all
  leak = -5,     // a second descriptor is left open
  deaf = -6,     // from here on the end of an input is not seen
  crash = -7,    // SIGABRT without a word
  vanish = -8,   // exit status 1 without a word
};

enum Kind : std::size_t {
  kind_malloc,
  kind_accept,
  kind_recv,
  kind_recvmsg,
  kind_send,
  kind_epoll_add,
  kind_epoll_wait,
  kind_setsockopt,
  kind_getsockname,
  kind_shutdown,
  kind_socket,
  kind_bind,
  kind_listen,
  kind_epoll_create,
  kind_eventfd,
  kind_timerfd,
  kind_signalfd,
  kind_thread,
  kind_open,
  kind_flock,
  kind_read,
  kind_write,
  kind_fsync,
  kind_rename,
  kind_close,
  kind_getrandom,
  kind_count
};

constexpr std::array<const char*, kind_count> kind_names = {
    "malloc",   "accept", "recv", "recvmsg", "send",         "epoll_add", "epoll_wait", "setsockopt", "getsockname",
    "shutdown", "socket", "bind", "listen",  "epoll_create", "eventfd",   "timerfd",    "signalfd",   "thread",
    "open",     "flock",  "read", "write",   "fsync",        "rename",    "close",      "getrandom"};

constexpr std::size_t name_bytes = 16;

struct Counted {
  std::array<char, name_bytes> name;
  std::atomic<std::uint64_t> calls;
};

struct Control {
  std::atomic<std::uint32_t> armed;
  std::atomic<std::uint32_t> fired;
  std::int32_t fault;  // an errno, or a Fault
  std::int32_t unused;
  std::uint64_t at;  // which call of its kind, from 1 on; 0 for none
  std::array<char, name_bytes> kind;
  std::array<Counted, kind_count> kinds;
};

Control* control = nullptr;
std::atomic<bool> is_deaf{false};
std::atomic<int> signal_descriptor{-1};  // to be told from those of Asio's own

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// Before main, and before what other libraries do then.
[[gnu::constructor]] void attach() {
  const char* const path = std::getenv("TORTURE_CONTROL");  // NOLINT(concurrency-mt-unsafe): no other thread yet
  if (path == nullptr) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // does not outlive who drives it
  const int fd = next<int(const char*, int, ...)>("open")(path, O_RDWR | O_CLOEXEC);
  void* const page = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  next<int(int)>("close")(fd);
  if (page == MAP_FAILED) std::abort();
  auto* const mapped = static_cast<Control*>(page);
  for (std::size_t i = 0; i < kind_count; ++i)
    std::strncpy(mapped->kinds[i].name.data(), kind_names[i], name_bytes - 1);
  control = mapped;
}

/// Counts a call. 0, or the fault that is to happen to it.
std::int32_t fault_of(Kind kind) {
  if (control == nullptr || control->armed.load() == 0) return 0;
  const std::uint64_t number = control->kinds[kind].calls.fetch_add(1) + 1;
  if (number != control->at || std::strncmp(control->kind.data(), kind_names[kind], name_bytes) != 0) return 0;
  control->fired.store(1);
  if (control->fault == crash) std::abort();
  if (control->fault == vanish) ::_exit(1);
  return control->fault;
}

/// Whether the call is to fail; errno is set then.
bool fails(Kind kind) {
  const std::int32_t fault = fault_of(kind);
  if (fault > 0) errno = fault;
  return fault > 0;
}

std::size_t part_of(std::size_t bytes) { return bytes > 1 ? bytes / 2 : bytes; }

/// Whether a descriptor is of a type (S_IFREG, ...). A pipe or an event is read and written without a failure: the
/// kernel has none for them here.
bool is_a(int fd, mode_t type) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

}  // namespace

extern "C" {

// glibc's own, which need no dlsym(): that allocates.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): their names
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the library's begin with underscores

void* malloc(std::size_t bytes) noexcept { return fails(kind_malloc) ? nullptr : __libc_malloc(bytes); }

void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return fails(kind_malloc) ? nullptr : __libc_calloc(count, bytes);
}

void* realloc(void* old, std::size_t bytes) noexcept {
  return fails(kind_malloc) ? nullptr : __libc_realloc(old, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return fails(kind_malloc) ? nullptr : __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  *memory = fails(kind_malloc) ? nullptr : __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

int accept(int fd, sockaddr* address, socklen_t* length) {
  static auto* const real = next<int(int, sockaddr*, socklen_t*)>("accept");
  const std::int32_t fault = fault_of(kind_accept);
  if (fault > 0) return errno = fault, -1;
  const int accepted = real(fd, address, length);
  if (fault == leak) ::dup(accepted < 0 ? fd : accepted);
  return accepted;
}

ssize_t recv(int fd, void* buffer, std::size_t bytes, int flags) {
  static auto* const real = next<ssize_t(int, void*, std::size_t, int)>("recv");
  const std::int32_t fault = fault_of(kind_recv);
  if (fault > 0) return errno = fault, -1;
  if (fault == deaf) is_deaf = true;
  const ssize_t got = real(fd, buffer, fault == cut ? 1 : bytes, flags);
  if (got == 0 && bytes > 0 && is_deaf) {
    ::usleep(1000);  // it will be asked again at once
    return errno = EAGAIN, -1;
  }
  return fault == lose && got > 1 ? got / 2 : got;
}

/// Of several buffers, as Beast reads what comes over a WebSocket.
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const real = next<ssize_t(int, msghdr*, int)>("recvmsg");
  const std::int32_t fault = fault_of(kind_recvmsg);
  if (fault > 0) return errno = fault, -1;
  if (fault != cut) return real(fd, message, flags);
  iovec byte{message->msg_iov[0].iov_base, 1};
  msghdr shorter = *message;
  shorter.msg_iov = &byte;
  shorter.msg_iovlen = 1;
  return real(fd, &shorter, flags);
}

ssize_t send(int fd, const void* buffer, std::size_t bytes, int flags) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t, int)>("send");
  const std::int32_t fault = fault_of(kind_send);
  if (fault > 0) return errno = fault, -1;
  if (fault == swallow) return static_cast<ssize_t>(bytes);
  const ssize_t sent = real(fd, buffer, fault == cut || fault == lie ? part_of(bytes) : bytes, flags);
  return fault == lie && sent > 0 ? static_cast<ssize_t>(bytes) : sent;
}

/// The kernel needs memory to add, and for nothing else. Of what Asio opens for itself (an event, a timer) it does not
/// look at the result.
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  static auto* const real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
  const bool is_ours = is_a(fd, S_IFSOCK) || fd == signal_descriptor;
  return operation == EPOLL_CTL_ADD && is_ours && fails(kind_epoll_add) ? -1 : real(epoll, operation, fd, event);
}

int epoll_wait(int epoll, epoll_event* events, int count_max, int timeout_ms) {
  static auto* const real = next<int(int, epoll_event*, int, int)>("epoll_wait");
  return fails(kind_epoll_wait) ? -1 : real(epoll, events, count_max, timeout_ms);
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept {
  static auto* const real = next<int(int, int, int, const void*, socklen_t)>("setsockopt");
  return fails(kind_setsockopt) ? -1 : real(fd, level, name, value, length);
}

int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  static auto* const real = next<int(int, sockaddr*, socklen_t*)>("getsockname");
  return fails(kind_getsockname) ? -1 : real(fd, address, length);
}

int shutdown(int fd, int how) noexcept {
  static auto* const real = next<int(int, int)>("shutdown");
  return fails(kind_shutdown) ? -1 : real(fd, how);
}

int socket(int family, int type, int protocol) noexcept {
  static auto* const real = next<int(int, int, int)>("socket");
  return fails(kind_socket) ? -1 : real(family, type, protocol);
}

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  static auto* const real = next<int(int, const sockaddr*, socklen_t)>("bind");
  return fails(kind_bind) ? -1 : real(fd, address, length);
}

int listen(int fd, int backlog) noexcept {
  static auto* const real = next<int(int, int)>("listen");
  return fails(kind_listen) ? -1 : real(fd, backlog);
}

int epoll_create1(int flags) noexcept {
  static auto* const real = next<int(int)>("epoll_create1");
  return fails(kind_epoll_create) ? -1 : real(flags);
}

int eventfd(unsigned value, int flags) noexcept {
  static auto* const real = next<int(unsigned, int)>("eventfd");
  return fails(kind_eventfd) ? -1 : real(value, flags);
}

int timerfd_create(int clock, int flags) noexcept {
  static auto* const real = next<int(int, int)>("timerfd_create");
  return fails(kind_timerfd) ? -1 : real(clock, flags);
}

int signalfd(int fd, const sigset_t* signals, int flags) noexcept {
  static auto* const real = next<int(int, const sigset_t*, int)>("signalfd");
  return fails(kind_signalfd) ? -1 : signal_descriptor = real(fd, signals, flags);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  static auto* const real = next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return fails(kind_thread) ? errno : real(thread, attributes, run, argument);
}

int open(const char* path, int flags, ...) {
  static auto* const real = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(kind_open) ? -1 : real(path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(kind_open) ? -1 : real(directory, path, flags, mode);
}

int flock(int fd, int operation) noexcept {
  static auto* const real = next<int(int, int)>("flock");
  return fails(kind_flock) ? -1 : real(fd, operation);
}

ssize_t read(int fd, void* buffer, std::size_t bytes) {
  static auto* const real = next<ssize_t(int, void*, std::size_t)>("read");
  return is_a(fd, S_IFREG) && fails(kind_read) ? -1 : real(fd, buffer, bytes);
}

ssize_t pread(int fd, void* buffer, std::size_t bytes, off_t at) {
  static auto* const real = next<ssize_t(int, void*, std::size_t, off_t)>("pread");
  return is_a(fd, S_IFREG) && fails(kind_read) ? -1 : real(fd, buffer, bytes, at);
}

ssize_t write(int fd, const void* buffer, std::size_t bytes) {
  static auto* const real = next<ssize_t(int, const void*, std::size_t)>("write");
  const std::int32_t fault = is_a(fd, S_IFREG) ? fault_of(kind_write) : 0;
  if (fault > 0) return errno = fault, -1;
  const ssize_t written = real(fd, buffer, fault == cut || fault == lie ? part_of(bytes) : bytes);
  return fault == lie && written > 0 ? static_cast<ssize_t>(bytes) : written;
}

int fsync(int fd) {
  static auto* const real = next<int(int)>("fsync");
  return fails(kind_fsync) ? -1 : real(fd);
}

int renameat(int old_directory, const char* old_path, int new_directory, const char* new_path) noexcept {
  static auto* const real = next<int(int, const char*, int, const char*)>("renameat");
  return fails(kind_rename) ? -1 : real(old_directory, old_path, new_directory, new_path);
}

/// As in the kernel the descriptor is closed, whatever is said.
int close(int fd) {
  static auto* const real = next<int(int)>("close");
  const bool failing = fails(kind_close);
  const int error = errno;
  const int closed = real(fd);
  if (failing) errno = error;
  return failing ? -1 : closed;
}

ssize_t getrandom(void* buffer, std::size_t bytes, unsigned flags) {
  static auto* const real = next<ssize_t(void*, std::size_t, unsigned)>("getrandom");
  return fails(kind_getrandom) ? -1 : real(buffer, bytes, flags);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
}  // extern "C"
