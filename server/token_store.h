// Which tokens a server may have given out, on disk, so that no later one gives them again (T1).
#ifndef LOCKD_SERVER_TOKEN_STORE_H_
#define LOCKD_SERVER_TOKEN_STORE_H_

#include <cstdint>
#include <string>

namespace lockd::server {

/// The high-water mark: no token at or above it was ever given out. It is kept in the file DIRECTORY/tokens, which is
/// replaced as a whole (written aside, synced, renamed, the directory synced): whatever happens meanwhile, the old file
/// or the new one is there. DIRECTORY/tokens.lock is locked as long as this object lives, so that two servers never
/// share a mark.
///
/// Not thread-safe.
class TokenStore {
 public:
  /// Reads the mark; 0 where there is none yet. Throws std::runtime_error or std::system_error, naming the file, where
  /// the directory can't be used, another server uses it, or the file holds something else. The file is left alone.
  explicit TokenStore(const std::string& directory);
  TokenStore(const TokenStore&) = delete;
  TokenStore& operator=(const TokenStore&) = delete;
  ~TokenStore();

  std::uint64_t mark() const { return mark_; }

  /// Sets the mark, on disk when it returns. Throws std::system_error where it can't be, the old mark being in force.
  void set_mark(std::uint64_t mark);

 private:
  std::string path_;
  int directory_fd_ = -1;
  int lock_fd_ = -1;
  std::uint64_t mark_ = 0;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TOKEN_STORE_H_
