// The event loop of a virtual thread: handlers in a queue, nothing else.
#ifndef LOCKD_SIMULATOR_CONTEXT_H_
#define LOCKD_SIMULATOR_CONTEXT_H_

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "simulator/simulation.h"

namespace lockd::simulator {

/// What server::Edge asks of a Context: boost::asio::post() works with it. Handlers run in the order in which they were
/// posted. (Asio's own io_context cannot be used: it keeps in thread-local storage which handler runs, and virtual
/// threads are switched in the middle of handlers.)
class Context : public boost::asio::execution_context {
 public:
  class executor_type {  // NOLINT(readability-identifier-naming): Asio looks for it under this name
   public:
    explicit executor_type(Context& context) : context_(&context) {}

    template <class Function>
    void execute(Function function) const {
      context_->push(std::move(function));
    }
    boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return *context_; }
    static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
      return boost::asio::execution::blocking_t::never;
    }
    friend bool operator==(const executor_type&, const executor_type&) noexcept = default;

   private:
    Context* context_;
  };

  explicit Context(int /*threads*/) {}

  executor_type get_executor() { return executor_type(*this); }

  /// A post from another virtual thread is a point where others may go on, before and after it.
  void push(std::function<void()> handler) {
    simulation->switch_point();
    ready_.push_back(std::move(handler));
    simulation->switch_point();
  }

  bool is_idle() const { return ready_.empty(); }

  /// The next handler; there must be one.
  void run_one() {
    const auto handler = std::move(ready_.front());
    ready_.pop_front();
    handler();
  }

 private:
  std::deque<std::function<void()>> ready_;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_CONTEXT_H_
