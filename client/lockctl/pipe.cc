#include "client/lockctl/pipe.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace lockd::lockctl {

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_end = Descriptor(ends[0]);
  write_end = Descriptor(ends[1]);
}

}  // namespace lockd::lockctl
