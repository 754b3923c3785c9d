#include "client/lockctl/socket_access.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace lockd::lockctl {

namespace {

constexpr std::string_view scheme = "unix://";

std::string name_of_group(gid_t id) {
  const group* const found = ::getgrgid(id);  // NOLINT(concurrency-mt-unsafe): no other thread asks
  return found == nullptr ? std::to_string(id) : found->gr_name;
}

std::string name_of_user(uid_t id) {
  const passwd* const found = ::getpwuid(id);  // NOLINT(concurrency-mt-unsafe): no other thread asks
  return found == nullptr ? std::to_string(id) : found->pw_name;
}

}  // namespace

std::string access_advice(const std::string& server) {
  if (!server.starts_with(scheme)) return {};
  const std::string path = server.substr(scheme.size());
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 || errno != EACCES) return {};
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return "this user may not enter its folder";
  if ((status.st_mode & S_IWGRP) == 0) return "the socket is for the user " + name_of_user(status.st_uid) + " alone";
  const std::string group = name_of_group(status.st_gid);
  return "the socket is for the group " + group + ", which one joins by adduser USER " + group + " and a new login";
}

}  // namespace lockd::lockctl
