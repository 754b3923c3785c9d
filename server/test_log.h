// What the server logs, for tests.
#ifndef LOCKD_SERVER_TEST_LOG_H_
#define LOCKD_SERVER_TEST_LOG_H_

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <sstream>
#include <string>

namespace lockd::server {

/// What is logged as long as this lives. Of one thread.
class TestLog {
 public:
  TestLog() {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_st>(text_)));
  }
  TestLog(const TestLog&) = delete;
  TestLog& operator=(const TestLog&) = delete;
  ~TestLog() { spdlog::set_default_logger(before_); }

  std::string text() const { return text_.str(); }
  bool says(const std::string& words) const { return text().find(words) != std::string::npos; }
  std::size_t line_count() const { return static_cast<std::size_t>(std::ranges::count(text(), '\n')); }

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream text_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TEST_LOG_H_
