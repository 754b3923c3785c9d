#include "server/http/pulse.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;

Pulse::Pulse(asio::io_context& own, std::vector<asio::io_context*> threads, std::function<Snapshot()> take,
             std::chrono::milliseconds patience)
    : own_(own),
      threads_(std::move(threads)),
      take_(std::move(take)),
      patience_(patience),
      owes_(threads_.size(), false) {}

asio::awaitable<Vitals> Pulse::ask() {
  const auto question = next_question();
  co_await question->over.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return question->vitals;
}

std::shared_ptr<Pulse::Question> Pulse::next_question() {
  if (!next_) {
    next_ = std::make_shared<Question>(own_);
    next_->answered.resize(threads_.size(), false);
    if (!asked_) put_soon();
  }
  return next_;
}

void Pulse::put_soon() {
  timer_.expires_at(asked_at_ + pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && next_ && !asked_) put();
  });
}

void Pulse::put() {
  asked_ = std::move(next_);
  asked_at_ = Clock::now();
  for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
    if (!owes_[thread]) put_to(thread);
  }
  timer_.expires_after(patience_);
  timer_.async_wait([this, question = asked_](const boost::system::error_code& error) {
    if (!error && asked_ == question) finish();
  });
}

void Pulse::put_to(std::size_t thread) {
  owes_[thread] = true;
  asio::post(*threads_[thread], [this, thread] {
    std::optional<Snapshot> snapshot;
    if (thread == 0) snapshot = take_();
    asio::post(own_, [this, thread, snapshot] { take_answer(thread, snapshot); });
  });
}

/// It may be late, and the answer to an earlier question: then the thread has come back, and that is what the one asked
/// now wants to know. Its numbers are as good as those that it would give now.
void Pulse::take_answer(std::size_t thread, std::optional<Snapshot> snapshot) {
  owes_[thread] = false;
  if (!asked_) return;
  asked_->answered[thread] = true;
  if (snapshot) asked_->snapshot = std::move(snapshot);
  if (std::ranges::find(asked_->answered, false) == asked_->answered.end()) finish();
}

void Pulse::finish() {
  timer_.cancel();
  Question& question = *asked_;
  question.vitals.snapshot = question.snapshot;
  for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
    if (!question.answered[thread]) question.vitals.silent.push_back(thread);
  }
  question.over.cancel();
  asked_.reset();
  if (next_) put_soon();
}

}  // namespace lockd::server
