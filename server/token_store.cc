#include "server/token_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace lockd::server {

namespace {

constexpr const char* file_name = "tokens";
constexpr const char* new_file_name = "tokens.new";
constexpr const char* lock_file_name = "tokens.lock";
constexpr std::string_view before_mark = "lockd has given out no token from ";
constexpr std::string_view behind_mark = " on\n";

[[noreturn]] void throw_error(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Of a new file that can't be made whole.
[[noreturn]] void remove_and_throw_error(int directory, const std::string& what) {
  const int error = errno;
  ::unlinkat(directory, new_file_name, 0);
  errno = error;
  throw_error(what);
}

/// A descriptor that closes itself. What is no file, but a pipe, does not keep the server waiting for its other end.
class File {
 public:
  File(int directory, const char* name, int flags)
      : fd_(::openat(directory, name, flags | O_CLOEXEC | O_NONBLOCK, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Nothing if it is not the text of a mark, whole.
std::optional<std::uint64_t> parse_mark(std::string_view text) {
  if (!text.starts_with(before_mark)) return std::nullopt;
  text.remove_prefix(before_mark.size());
  if (!text.ends_with(behind_mark)) return std::nullopt;
  text.remove_suffix(behind_mark.size());
  std::uint64_t mark = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mark);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return mark;
}

}  // namespace

TokenStore::TokenStore(const std::string& directory) : path_(directory + "/" + file_name) {
  directory_fd_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_fd_ < 0) throw_error(directory);
  try {
    lock_fd_ = ::openat(directory_fd_, lock_file_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_fd_ < 0) throw_error(directory + "/" + lock_file_name);
    if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) throw std::runtime_error(directory + ": another server uses it");
    const File file(directory_fd_, file_name, O_RDONLY);
    if (file.fd() < 0 && errno == ENOENT) return;
    if (file.fd() < 0) throw_error(path_);
    std::array<char, 256> text{};
    const ssize_t bytes = ::read(file.fd(), text.data(), text.size());
    if (bytes < 0) throw_error(path_);
    const auto mark = parse_mark({text.data(), static_cast<std::size_t>(bytes)});
    if (!mark) throw std::runtime_error(path_ + ": this is no file of lockd's");
    mark_ = *mark;
  } catch (...) {
    if (lock_fd_ >= 0) ::close(lock_fd_);
    ::close(directory_fd_);
    throw;
  }
}

TokenStore::~TokenStore() {
  ::close(lock_fd_);
  ::close(directory_fd_);
}

void TokenStore::set_mark(std::uint64_t mark) {
  const std::string text = std::string(before_mark) + std::to_string(mark) + std::string(behind_mark);
  {
    const File file(directory_fd_, new_file_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (file.fd() < 0) throw_error(path_ + ".new");
    const ssize_t written = ::write(file.fd(), text.data(), text.size());
    if (written >= 0 && static_cast<std::size_t>(written) != text.size()) errno = ENOSPC;
    const bool whole = written == static_cast<ssize_t>(text.size());
    if (!whole || ::fsync(file.fd()) != 0) remove_and_throw_error(directory_fd_, path_ + ".new");
  }
  if (::renameat(directory_fd_, new_file_name, directory_fd_, file_name) != 0) throw_error(path_);
  if (::fsync(directory_fd_) != 0) throw_error(path_);
  mark_ = mark;
}

}  // namespace lockd::server
