#include "server/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/check.h"
#include "server/printable.h"

namespace lockd::server {

namespace {

class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const std::string_view prefix = priority_prefix(message.level);
    line.append(prefix.data(), prefix.data() + prefix.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

/// What is said may come from the environment, or name a path.
class Text : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Text>(); }
};

}  // namespace

bool is_journal(int fd) {
  const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): one thread
  struct stat found{};
  if (stream == nullptr || ::fstat(fd, &found) != 0) return false;
  return stream == std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
}

const char* priority_prefix(spdlog::level::level_enum level) {
  if (level >= spdlog::level::critical) return SD_CRIT;
  if (level >= spdlog::level::err) return SD_ERR;
  if (level >= spdlog::level::warn) return SD_WARNING;
  return level >= spdlog::level::info ? SD_INFO : SD_DEBUG;
}

void set_up_log(const std::string& level, bool to_journal) {
  engine::check_prefix = to_journal ? priority_prefix(spdlog::level::critical) : "";
  auto logger = std::make_shared<spdlog::logger>("lockd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PriorityFlag>('*').add_flag<Text>('N');
  formatter->set_pattern(to_journal ? "%*%N" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %N");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace lockd::server
