#include "simulator/mutex.h"

#include "engine/check.h"

namespace lockd::simulator {

void Mutex::lock() {
  Simulation& world = *simulation;
  const std::size_t fiber = world.fibers.running();
  world.switch_point();
  if (locked_) {
    require(fiber != Fibers::none && owner_ != fiber, "a mutex is locked by who holds it");
    world.count("waits for a mutex");
    while (locked_) {
      world.blocked[fiber] = this;
      for (std::size_t next = owner_; world.blocked.contains(next); next = world.blocked.at(next)->owner_)
        require(next != fiber, "virtual threads wait for one another's mutexes");
      world.fibers.yield();
    }
    world.blocked.erase(fiber);
  }
  locked_ = true;
  owner_ = fiber;
  ++world.mutexes_held;
}

void Mutex::unlock() {
  LOCKD_CHECK(locked_, "only what is locked is unlocked");
  locked_ = false;
  owner_ = Fibers::none;
  --simulation->mutexes_held;
}

/// The planted fault: circles are looked for without the mutex that keeps others from closing one meanwhile.
bool TableMutex::is_left_out() const { return is_planted("no_wait_mutex") && number_ == wait_mutex; }

void TableMutex::lock() {
  if (peeks) return;
  is_left_out() ? simulation->switch_point() : mutex_.lock();
  if (watch != nullptr) watch->locked(number_);
}

void TableMutex::unlock() {
  if (peeks) return;
  if (watch != nullptr) watch->unlocks(number_);
  if (!is_left_out()) mutex_.unlock();
}

}  // namespace lockd::simulator
