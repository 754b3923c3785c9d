#include "server/pidfile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lockd::server {

namespace {

/// 0, or why not all of the text is in the file.
int write_whole(int fd, const std::string& text) {
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int error = written == static_cast<ssize_t>(text.size()) ? 0 : written < 0 ? errno : ENOSPC;
  return ::close(fd) != 0 && error == 0 ? errno : error;  // some file systems find out no earlier that they are full
}

/// What is no file, but a device, is not ours to remove.
void remove_file(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode)) ::unlink(path.c_str());
}

[[noreturn]] void refuse(const std::string& path, int error) {
  throw std::runtime_error("--pidfile " + path + ": " + std::generic_category().message(error));
}

}  // namespace

Pidfile::Pidfile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) refuse(path_, errno);
  const int error = write_whole(fd, std::to_string(::getpid()) + "\n");
  if (error == 0) return;
  remove_file(path_);
  refuse(path_, error);
}

Pidfile::~Pidfile() {
  pid_t written = 0;
  if (std::ifstream(path_) >> written && written == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace lockd::server
