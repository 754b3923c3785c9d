// How libFuzzer changes inputs of session_fuzzer: step by step, or byte by byte as it does by itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/session_steps.h"

// NOLINTBEGIN(readability-identifier-naming): the names by which libFuzzer is called and calls.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned int seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, size_max);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string changed = lockd::fuzz::mutated(input, size_max, seed);
  std::ranges::copy(changed, data);
  return changed.size();
}
// NOLINTEND(readability-identifier-naming)
