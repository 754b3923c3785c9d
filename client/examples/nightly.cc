// nightly URI - a job that runs on one machine of many at a time, stops when its lock is lost, and writes with a token.
#include <lockd/client.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stop_token>

namespace {

int fail(const lockd::Error& error) {
  std::cerr << error.text << '\n';
  return EXIT_FAILURE;
}

/// Stands for the work: in steps, so that it can stop between them.
void write_report(std::uint64_t token, const std::stop_token& lost) {
  for (int page = 1; page <= 3 && !lost.stop_requested(); ++page)
    std::cout << "page " << page << ", written with token " << token << '\n';
}

int run(const char* uri) {
  auto client = lockd::Client::connect(uri, {.name = "nightly report"});
  if (!client) return fail(client.error());

  const auto lock = client->lock_for("nightly-report", std::chrono::minutes(1));
  if (lock.failed_by(lockd::Cause::timed_out)) {
    std::cout << "another machine is at it\n";
    return EXIT_SUCCESS;
  }
  if (!lock) return fail(lock.error());

  write_report(lock->token(), client->lost());
  return lock->owns_lock() ? EXIT_SUCCESS : fail(*client->loss());
}  // here the lock is released

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) return run(argv[1]);
  std::cerr << "usage: nightly tcp://HOST:PORT | unix:///PATH\n";
  return 2;
}
