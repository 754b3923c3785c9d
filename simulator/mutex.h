// The mutex policies: at each lock another virtual thread may take over.
#ifndef LOCKD_SIMULATOR_MUTEX_H_
#define LOCKD_SIMULATOR_MUTEX_H_

#include <cstddef>
#include <cstdint>

#include "simulator/simulation.h"

namespace lockd::simulator {

/// Of virtual threads. Locking is a point where others may go on; whoever finds it locked waits. Who locks what he
/// holds, and a circle of fibers that wait for one another's mutexes, is a Failure. Outside of fibers it is not to be
/// locked while a fiber holds it.
class Mutex {
 public:
  void lock();
  void unlock();
  bool is_locked() const { return locked_; }

 private:
  bool locked_ = false;
  std::size_t owner_ = Fibers::none;
};

/// Told when a mutex of the table was locked and when it is about to be unlocked; no fiber switch in between call and
/// event.
class TableMutexWatch {
 public:
  virtual ~TableMutexWatch() = default;
  virtual void locked(std::size_t mutex) = 0;
  virtual void unlocks(std::size_t mutex) = 0;

 protected:
  TableMutexWatch() = default;
  TableMutexWatch(const TableMutexWatch&) = default;
  TableMutexWatch& operator=(const TableMutexWatch&) = default;
};

/// Those within the table: numbered in the order in which they are made, first wait_mutex_, then the shards'. While
/// `peeks` the table is looked at from outside, between any two steps of the fibers, and nothing is locked.
class TableMutex {
 public:
  TableMutex() : number_(count++) {}

  void lock();
  void unlock();

  static constexpr std::size_t wait_mutex = 0;
  static constexpr std::size_t first_shard = 1;

  static inline std::size_t count = 0;
  static inline bool peeks = false;
  static inline TableMutexWatch* watch = nullptr;

 private:
  bool is_left_out() const;

  std::size_t number_;
  Mutex mutex_;
};

/// What sessions, names and listings are made with: engine::ShardedTable is specialised for it (watched_table.h).
struct SessionMutex : Mutex {};

/// What connections, workers and mailboxes are made with: server::Session (watched_session.h) and server::Edge
/// (virtual_edge.h) are specialised for it.
struct EdgeMutex : Mutex {};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_MUTEX_H_
