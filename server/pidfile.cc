#include "server/pidfile.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lockd::server {

namespace {

/// What is no file, but a device, is not ours to remove.
bool is_regular(std::FILE* file) {
  struct stat found{};
  ::fstat(::fileno(file), &found);
  return S_ISREG(found.st_mode);
}

[[noreturn]] void refuse(const std::string& path, int error) {
  throw std::runtime_error("--pidfile " + path + ": " + std::generic_category().message(error));
}

}  // namespace

Pidfile::Pidfile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::FILE* const file = std::fopen(path_.c_str(), "we");
  if (file == nullptr) refuse(path_, errno);
  const bool can_be_removed = is_regular(file);
  std::fprintf(file, "%d\n", ::getpid());
  if (std::fclose(file) == 0) return;  // now all of it is written, or not
  const int error = errno;
  if (can_be_removed) ::unlink(path_.c_str());
  refuse(path_, error);
}

Pidfile::~Pidfile() {
  pid_t written = 0;
  if (std::ifstream(path_) >> written && written == ::getpid()) ::unlink(path_.c_str());
}

}  // namespace lockd::server
