#include "client/lockctl/loss.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "client/lockctl/text.h"

namespace lockd::lockctl {

Loss::Loss(Client& client, std::string server)
    : client_(client), server_(std::move(server)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  client.on_loss([this](const Error& error) { happen(error); });
}

Loss::~Loss() { client_.close(); }  // after which happen() is not called any more

bool Loss::happened() const {
  const std::scoped_lock lock(mutex_);
  return happened_;
}

std::string Loss::reason() const {
  const std::scoped_lock lock(mutex_);
  return reason_;
}

void Loss::happen(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    happened_ = true;
    reason_ = printable(server_ + ": " + error.text);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

}  // namespace lockd::lockctl
