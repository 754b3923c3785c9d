#include "server/pulse.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace asio = boost::asio;

Pulse::Pulse(asio::io_context& own, std::vector<asio::io_context*> threads, std::function<Snapshot()> take,
             std::chrono::milliseconds patience)
    : own_(own),
      threads_(std::move(threads)),
      take_(std::move(take)),
      patience_(patience),
      owes_(threads_.size(), false) {
  LOCKD_CHECK(!threads_.empty(), "somebody can answer");
}

asio::awaitable<Vitals> Pulse::ask() {
  const auto question = next_question();
  co_await question->over.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return question->vitals;
}

std::shared_ptr<Pulse::Question> Pulse::next_question() {
  if (!next_) {
    next_ = std::make_shared<Question>(own_, ++questions_);
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
  asio::post(*threads_[thread], [this, thread, question = asked_->number] {
    std::optional<Snapshot> snapshot;
    if (thread == 0 && take_) snapshot = take_();
    asio::post(own_, [this, thread, question, snapshot] { take_answer(thread, question, snapshot); });
  });
}

/// It may be late, and have been given before the one asked now was.
void Pulse::take_answer(std::size_t thread, std::uint64_t question, std::optional<Snapshot> snapshot) {
  owes_[thread] = false;
  if (!asked_) return;
  if (question != asked_->number) return put_to(thread);
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
