// workers URI - three threads, of which at most two work at a time, in the whole fleet.
#include <lockd/client.h>

#include <chrono>
#include <iostream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Each thread that waits has a Client of its own: on one they would be one owner, and wait for one another's waits.
void work(const std::string& uri, int number, const std::stop_token& stop) {
  auto client = lockd::Client::connect(uri, {.name = "worker " + std::to_string(number)});
  if (!client) return void(std::cerr << client.error().text + "\n");

  const auto place = client->lock_shared_for("fragile-service", 2, std::chrono::seconds(5), stop);
  if (place.failed_by(lockd::Cause::timed_out)) return void(std::cout << "busy: the load is shed\n");
  if (!place) return void(std::cerr << place.error().text + "\n");

  std::cout << "worker " + std::to_string(number) + " has a place\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: workers tcp://HOST:PORT | unix:///PATH\n";
    return 2;
  }
  const std::stop_source stop;  // request_stop() would make all of them leave the line
  std::vector<std::jthread> threads;
  for (int number = 1; number <= 3; ++number)
    threads.emplace_back([&, number] { work(argv[1], number, stop.get_token()); });
}
