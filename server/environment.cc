#include "server/environment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "server/nearest.h"

namespace lockd::server {

namespace {

constexpr std::array<std::string_view, 4> of_lockctl = {"LOCKD_KEY", "LOCKD_MODE", "LOCKD_SERVER", "LOCKD_TOKEN"};

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> names_in(const char* const* environment) {
  std::vector<std::string> names;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry(*environment);
    if (entry.starts_with("LOCKD_")) names.emplace_back(entry.substr(0, entry.find('=')));
  }
  return names;
}

/// Where there is LOCKD_SERVICE_HOST, LOCKD_PORT and LOCKD_SERVICE_PORT are Kubernetes's words about that service.
bool is_about_service(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::string_view host = "SERVICE_HOST";
  return std::ranges::any_of(names, [&](const std::string& other) {
    if (!other.ends_with("_SERVICE_HOST")) return false;
    const std::string service = other.substr(0, other.size() - host.size());
    return name.starts_with(service + "SERVICE_") || name.starts_with(service + "PORT");
  });
}

std::string hint(const std::string& name, const std::vector<std::string>& settings) {
  const std::string meant = nearest(name, settings);
  return meant.empty() ? "lockd --help shows what can be set" : "did you mean " + meant + "?";
}

}  // namespace

std::vector<std::string> unknown_variables(const char* const* environment, const std::vector<std::string>& settings) {
  const std::vector<std::string> names = names_in(environment);
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    if (contains(settings, name) || contains(of_lockctl, name) || is_about_service(name, names)) continue;
    lines.push_back(name + " sets nothing: " + hint(name, settings));
  }
  return lines;
}

}  // namespace lockd::server
