// Variables of the environment that look like settings of the daemon, and are none.
#ifndef LOCKD_SERVER_ENVIRONMENT_H_
#define LOCKD_SERVER_ENVIRONMENT_H_

#include <string>
#include <vector>

namespace lockd::server {

/// A line for each variable that begins with LOCKD_ and sets nothing, with the setting that may be meant. environment:
/// as environ. settings: the names of those that set something. Variables that are there for others are no matter:
/// those that `lockctl run` gives its command, and those by which Kubernetes tells where a service is.
std::vector<std::string> unknown_variables(const char* const* environment, const std::vector<std::string>& settings);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_ENVIRONMENT_H_
