// The file that says which process the daemon is.
#ifndef LOCKD_SERVER_PIDFILE_H_
#define LOCKD_SERVER_PIDFILE_H_

#include <optional>
#include <string>

#include "server/file_lock.h"

namespace lockd::server {

/// The process id in a file, for as long as this object lives. Meanwhile flock(2) on it tells that a process runs with
/// it; the number alone, which a killed process leaves behind, tells nothing.
class Pidfile {
 public:
  /// path: none is written if it is empty. A file that is there is taken over where it is empty or holds the number of
  /// a process, and nobody has locked it. What is no file, but a device, is written to, and no more. Throws
  /// std::runtime_error, naming the path, the reason and what to do, where the file holds anything else or is
  /// another process's (it stays as it is), or the number can't be written whole (no part of it is left).
  explicit Pidfile(std::string path);
  Pidfile(const Pidfile&) = delete;
  Pidfile& operator=(const Pidfile&) = delete;
  ~Pidfile();  // removes the file, unless the path leads to it by a link, or is another's by now

 private:
  void remove() const;

  std::string path_;
  std::optional<FileLock> file_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PIDFILE_H_
