// A file that one process at a time may have.
#ifndef LOCKD_SERVER_FILE_LOCK_H_
#define LOCKD_SERVER_FILE_LOCK_H_

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>

namespace lockd::server {

/// An open file, and flock(2) on it once that is taken: for as long as this object lives, and no longer than the
/// process, however that ends.
class FileLock {
 public:
  /// Opens the file as it is, or makes an empty one with these permission bits. flags: of open(2), besides.
  FileLock(const std::string& path, int flags, mode_t mode)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, mode)) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// -1 where it could not be opened, for the reason that errno then says.
  int fd() const { return fd_; }

  /// False where it can't be had; errno is EWOULDBLOCK where another has it.
  bool try_lock() { return ::flock(fd_, LOCK_EX | LOCK_NB) == 0; }

 private:
  int fd_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_FILE_LOCK_H_
