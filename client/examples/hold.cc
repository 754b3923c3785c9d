// hold URI KEY [PEER_TIMEOUT_MS] - holds a lock until its input ends, and answers each line of it with the lock's token
// as the server knows it. When the lock is lost it stops at once, with exit status 3.
#include <lockd/client.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

int fail(const lockd::Error& error) {
  std::cerr << error.text << '\n';
  return EXIT_FAILURE;
}

int hold(const char* uri, const char* key, const lockd::Options& options) {
  auto client = lockd::Client::connect(uri, options);
  if (!client) return fail(client.error());
  client->on_loss([](const lockd::Error& error) {
    std::cout << "lost: " << error.text << std::endl;
    std::_Exit(3);  // whatever this program does, another one may be given the lock to do it in a moment
  });
  const auto lock = client->lock(key);
  if (!lock) return fail(lock.error());
  std::cout << "held " << lock->token() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto token = client->token(key);
    if (!token) return fail(token.error());
    std::cout << "token " << *token << std::endl;
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: hold tcp://HOST:PORT | unix:///PATH KEY [PEER_TIMEOUT_MS]\n";
    return 2;
  }
  lockd::Options options;
  if (argc == 4) options.peer_timeout = std::chrono::milliseconds(std::atoi(argv[3]));
  return hold(argv[1], argv[2], options);
}
