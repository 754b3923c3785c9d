// consumer URI - takes a lock and says so.
#include <lockd/client.h>

#include <iostream>

int main(int, char** argv) {
  auto client = lockd::Client::connect(argv[1]);
  const auto lock = client->try_lock("consumed");
  std::cout << (lock ? "held" : lock.error().text) << '\n';
}
