// What the programs of this folder have in common.
#ifndef LOCKD_BENCH_PROGRAM_H_
#define LOCKD_BENCH_PROGRAM_H_

#include <functional>
#include <string>

namespace lockd::bench {

/// The body of a main(): returns what `body` does, or 1 after a line on stderr where it throws.
int run_program(const std::string& name, const std::function<int()>& body);

/// Throws where the file cannot be written.
void write_file(const std::string& path, const std::string& text);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_PROGRAM_H_
