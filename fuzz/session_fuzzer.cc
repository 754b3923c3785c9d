// Four connections to the real sessions and engine, driven by hostile bytes, against the reference server: every byte
// that a session writes must be one that the model lets come then.
//
// session_steps.h says what an input means.
#include <cstddef>
#include <cstdint>

#include "engine/check.h"
#include "fuzz/session_play.h"
#include "proptests/session_lockstep.h"

namespace {

/// With longer inputs a listing could take several slices, other sessions changing the table in between (L5): what it
/// shows then is not one certain thing. This much cannot make it 64 KiB long.
constexpr std::size_t input_bytes_max = 1024;

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > input_bytes_max) return 0;
  try {
    lockd::fuzz::play({reinterpret_cast<const char*>(data), size}, nullptr);
  } catch (const lockd::proptests::Difference& difference) {
    LOCKD_CHECK(false, difference.what());
  }
  return 0;
}
