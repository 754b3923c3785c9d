// The signals that end the daemon, as something to be read.
#ifndef LOCKD_SERVER_STOP_SIGNALS_H_
#define LOCKD_SERVER_STOP_SIGNALS_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>

namespace lockd::server {

/// SIGTERM, SIGINT and, unless whoever started the process (nohup) has it ignored, SIGHUP. From its making on they do
/// nothing but to be read here: they stay blocked, for the thread that makes it and for those which that thread starts,
/// even when this object has gone. So it is made before other threads are.
class StopSignals {
 public:
  /// Throws boost::system::system_error.
  explicit StopSignals(boost::asio::io_context& context);

  /// Calls back once, with the signal's number, be it that it came before.
  void async_wait(std::function<void(int)> stop);

 private:
  int read();

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> descriptor_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_STOP_SIGNALS_H_
