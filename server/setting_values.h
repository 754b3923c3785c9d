// What the value of a setting has to be, wherever it is set.
//
// Each check returns nothing where the value is fine, and else what is wrong: the value, '' if it is empty, and what
// is expected. Threading: as one likes.
#ifndef LOCKD_SERVER_SETTING_VALUES_H_
#define LOCKD_SERVER_SETTING_VALUES_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace lockd::server {

/// Of --listen: what parse_listen_uri() takes.
std::string check_listen_uri(const std::string& uri);

/// Of --http: tcp://HOST:PORT or unix:///PATH.
std::string check_http_uri(const std::string& uri);

/// Of --ws-origin: SCHEME://HOST or SCHEME://HOST:PORT.
std::string check_websocket_origin(const std::string& origin);

/// Any but the empty one.
std::string check_path(const std::string& path);

/// A flag's value in the file or the environment. (The library would count it: 3 is three times.)
std::string check_switch(const std::string& value);

/// Octal permission bits.
std::string check_mode(const std::string& mode);

/// A level of the log.
std::string check_log_level(const std::string& level);

/// Decimal digits alone, of a number from min to max. (The library would take 010 for octal.)
CLI::Validator whole_number(std::uint64_t min, std::uint64_t max);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SETTING_VALUES_H_
