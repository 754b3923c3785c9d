// The end of a program, and its file.
#include "bench/program.h"

#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace lockd::bench {

int run_program(const std::string& name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << "\n";
    return 1;
  }
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace lockd::bench
