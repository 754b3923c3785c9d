#include "server/pidfile.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "server/reason.h"

namespace lockd::server {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("--pidfile " + path + ": " + why);
}

[[noreturn]] void refuse(const std::string& path, int error) {
  refuse(path, std::generic_category().message(error) + file_advice(error));
}

struct stat status_of(int fd) {
  struct stat found{};
  ::fstat(fd, &found);
  return found;
}

/// Whether this path, or what it leads to, is the open file.
bool is_at(int fd, const std::string& path, bool follow_link) {
  struct stat there{};
  if ((follow_link ? ::stat(path.c_str(), &there) : ::lstat(path.c_str(), &there)) != 0) return false;
  const struct stat ours = status_of(fd);
  return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/// What is written in it; of a long file the beginning, which is no number of a process.
std::string text_of(int fd, const std::string& path) {
  std::array<char, 32> text{};
  const ssize_t bytes = ::pread(fd, text.data(), text.size(), 0);
  if (bytes < 0) refuse(path, errno);
  return {text.data(), static_cast<std::size_t>(bytes)};
}

/// Empty where the text is not that of one number, with the end of a line or without.
std::string process_in(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  pid_t process = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), process);
  const bool is_process = error == std::errc() && end == text.data() + text.size() && process >= 0;
  return is_process ? std::to_string(process) : std::string();
}

/// Of the file only its lock says whether a process runs with it. Whether one of the number in it lives says nothing:
/// in a container the numbers come again.
void take_over(FileLock& file, const std::string& path) {
  if (!file.try_lock()) {
    if (errno != EWOULDBLOCK) refuse(path, errno);
    const std::string process = process_in(text_of(file.fd(), path));
    refuse(path, (process.empty() ? "another process" : "process " + process) +
                     " runs with it. End that, or take another path");
  }
  if (!is_at(file.fd(), path, true)) refuse(path, "another process has removed it just now. Start again");
  const std::string text = text_of(file.fd(), path);
  if (!text.empty() && process_in(text).empty())
    refuse(path, "it holds something else than the number of a process. Remove it, or take another path");
}

/// False, with errno, where not all of it can be written.
bool write_process(int fd) {
  const std::string text = std::to_string(::getpid()) + "\n";
  const ssize_t written = ::write(fd, text.data(), text.size());
  if (written >= 0 && static_cast<std::size_t>(written) != text.size()) errno = ENOSPC;
  return written == static_cast<ssize_t>(text.size());
}

}  // namespace

Pidfile::Pidfile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  file_.emplace(path_, 0, 0644);
  if (file_->fd() < 0) refuse(path_, errno);
  const bool is_file = S_ISREG(status_of(file_->fd()).st_mode);  // a device is for many, and not ours to remove
  if (is_file) take_over(*file_, path_);
  if ((!is_file || ::ftruncate(file_->fd(), 0) == 0) && write_process(file_->fd())) return;
  const int error = errno;
  remove();
  refuse(path_, error);
}

Pidfile::~Pidfile() { remove(); }

/// Under the lock, so that no other process takes the file over meanwhile.
void Pidfile::remove() const {
  if (!file_ || !S_ISREG(status_of(file_->fd()).st_mode)) return;
  if (is_at(file_->fd(), path_, false)) ::unlink(path_.c_str());
}

}  // namespace lockd::server
