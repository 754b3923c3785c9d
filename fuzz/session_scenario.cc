// An input of session_fuzzer as a scenario: `session_scenario FILE` prints it, line by line as it is played, so that
// the last line is the one that does not come back; `session_scenario FILE | scenario compare -` plays it again.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "fuzz/session_play.h"
#include "proptests/session_lockstep.h"

int main(int argc, char** argv) {
  std::ifstream file(argc == 2 ? argv[1] : "", std::ios::binary);
  const std::string input(std::istreambuf_iterator<char>(file), {});
  if (input.empty()) {
    std::fputs("usage: session_scenario FILE, which is an input of session_fuzzer and not empty\n", stderr);
    return 2;
  }
  try {
    lockd::fuzz::play(input, &std::cout);
  } catch (const lockd::proptests::Difference& difference) {
    std::cout << "# " << difference.what() << '\n';
    return 1;
  }
  return 0;
}
