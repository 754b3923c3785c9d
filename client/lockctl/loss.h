// The end of a connection, as something that poll() sees.
#ifndef LOCKD_CLIENT_LOCKCTL_LOSS_H_
#define LOCKD_CLIENT_LOCKCTL_LOSS_H_

#include <lockd/client.h>

#include <mutex>
#include <string>

#include "client/descriptor.h"

namespace lockd::lockctl {

/// Watches one client from its making on, and closes it when it goes: the client must outlive it.
class Loss {
 public:
  Loss(Client& client, std::string server);  // the URI; throws std::system_error
  ~Loss();
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  /// Readable from the loss on.
  [[nodiscard]] int descriptor() const { return event_.get(); }
  /// Whether it has happened.
  [[nodiscard]] bool happened() const;
  /// Why, once it has happened, behind the server's URI; one line.
  [[nodiscard]] std::string reason() const;

 private:
  void happen(const Error& error);

  Client& client_;
  std::string server_;
  Descriptor event_;
  mutable std::mutex mutex_;
  bool happened_ = false;  // under mutex_, and the next one
  std::string reason_;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_LOSS_H_
