// The floor (bench/floor.cc) written with Asio's own operations, on epoll or, built with BOOST_ASIO_HAS_IO_URING and
// BOOST_ASIO_DISABLE_EPOLL, on io_uring: what either costs where nothing else is done. One thread, one operation in
// flight on each connection: a read, then a write of all its replies.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bench/floor_replies.h"
#include "bench/program.h"

namespace lockd::bench {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// Lives as long as an operation of it is in flight.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(input_), [self = shared_from_this()](error_code error, std::size_t size) {
      if (!error) self->reply({self->input_.data(), size});
    });
  }

 private:
  void reply(std::string_view bytes) {
    answer_lines(bytes, cut_, replies_);
    if (replies_.empty()) return read();
    asio::async_write(socket_, asio::buffer(replies_), [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->read();
    });
  }

  Tcp::socket socket_;
  std::string cut_;
  std::string replies_;
  std::array<char, 16384> input_;
};

void accept(Tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](error_code error, Tcp::socket socket) {
    if (error) throw boost::system::system_error(error, "accept");
    socket.set_option(Tcp::no_delay(true));
    std::make_shared<Connection>(std::move(socket))->read();
    accept(acceptor);
  });
}

// Until a signal ends the process.
int serve_all() {
  asio::io_context context(1);
  Tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  std::printf("listening on tcp://127.0.0.1:%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  accept(acceptor);
  context.run();
  return 0;
}

}  // namespace
}  // namespace lockd::bench

int main() { return lockd::bench::run_program("floor_asio", lockd::bench::serve_all); }
