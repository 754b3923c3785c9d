#include "client/lockctl/holder_name.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace lockd::lockctl {

namespace {

std::string user_name() {
  const uid_t user = ::geteuid();
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return error == 0 && found != nullptr && *found->pw_name != '\0' ? found->pw_name : std::to_string(user);
}

std::string host_name() {
  std::array<char, 256> buffer{};
  const bool known = ::gethostname(buffer.data(), buffer.size() - 1) == 0 && buffer[0] != '\0';
  return known ? buffer.data() : "localhost";
}

}  // namespace

std::string default_holder_name() {
  return as_name(user_name()) + "@" + as_name(host_name()) + ":" + std::to_string(::getpid());
}

std::string as_name(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@:+";
  std::string name(text);
  for (char& c : name) {
    if (plain.find(c) == std::string_view::npos) c = '_';
  }
  return name;
}

}  // namespace lockd::lockctl
