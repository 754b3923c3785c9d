// The file that says which process the daemon is.
#ifndef LOCKD_SERVER_PIDFILE_H_
#define LOCKD_SERVER_PIDFILE_H_

#include <string>

namespace lockd::server {

/// The process id in a file, for as long as this object lives.
class Pidfile {
 public:
  /// path: none is written if it is empty. Throws std::runtime_error, naming it and the reason, where it can't be
  /// written whole; then no part of it is left.
  explicit Pidfile(std::string path);
  Pidfile(const Pidfile&) = delete;
  Pidfile& operator=(const Pidfile&) = delete;
  ~Pidfile();  // removes the file, unless another process has written it since

 private:
  std::string path_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PIDFILE_H_
