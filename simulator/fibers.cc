#include "simulator/fibers.h"

#include <utility>

#include "engine/check.h"

namespace lockd::simulator {
namespace {

/// For begin(), which makecontext() calls without arguments that could hold a pointer.
Fibers* beginning = nullptr;

}  // namespace

void Fibers::spawn(std::function<void()> body) {
  auto fiber = std::make_unique<Fiber>();
  fiber->body = std::move(body);
  fiber->stack = std::make_unique_for_overwrite<Stack>();
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack->data();
  fiber->context.uc_stack.ss_size = fiber->stack->size();
  fiber->context.uc_link = &outside_;
  makecontext(&fiber->context, begin, 0);
  fibers_.push_back(std::move(fiber));
}

void Fibers::begin() {
  Fiber& fiber = *beginning->fibers_[beginning->running_];
  try {
    fiber.body();
  } catch (...) {
    fiber.thrown = std::current_exception();
  }
}

void Fibers::resume(std::size_t fiber) {
  LOCKD_CHECK(running_ == none, "fibers are resumed from outside");
  running_ = fiber;
  beginning = this;
  swapcontext(&outside_, &fibers_[fiber]->context);
  running_ = none;
  if (const auto thrown = std::exchange(fibers_[fiber]->thrown, nullptr)) std::rethrow_exception(thrown);
}

void Fibers::yield() {
  LOCKD_CHECK(running_ != none, "only a fiber yields");
  swapcontext(&fibers_[running_]->context, &outside_);
}

}  // namespace lockd::simulator
