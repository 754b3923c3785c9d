// An optional that lives on the heap.
#ifndef LOCKD_SERVER_BOXED_H_
#define LOCKD_SERVER_BOXED_H_

#include <memory>
#include <utility>

namespace lockd::server {

/// A T or none, for what few sessions have: a pointer is all that it costs where there is none. A value: a copy has a T
/// of its own. Like std::optional, it is not to be dereferenced when empty.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(const Boxed& other) : box_(other ? std::make_unique<T>(*other) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    *this = Boxed(other);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    box_ = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    return *box_;
  }
  void reset() { box_.reset(); }

  explicit operator bool() const { return box_ != nullptr; }
  T& operator*() { return *box_; }
  const T& operator*() const { return *box_; }
  T* operator->() { return box_.get(); }
  const T* operator->() const { return box_.get(); }

 private:
  std::unique_ptr<T> box_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_BOXED_H_
