#include "simulator/simulation.h"

#include "engine/check.h"
#include "model/expected_output.h"

namespace lockd::simulator {

void Trace::note(std::string_view what, std::uint64_t who, std::uint64_t how_many, std::string_view text) {
  mix(what);
  mix(who);
  mix(how_many);
  mix(text);
  ++lines_;
  if (file_ == nullptr) return;
  std::fprintf(file_, "%llu %.*s %llu %llu %s\n", static_cast<unsigned long long>(lines_),
               static_cast<int>(what.size()), what.data(), static_cast<unsigned long long>(who),
               static_cast<unsigned long long>(how_many), model::ExpectedOutput::escaped(text).c_str());
}

void Trace::mix(std::string_view bytes) {
  for (const char byte : bytes) mix(std::uint64_t{static_cast<unsigned char>(byte)});
  mix(bytes.size());
}

Simulation::Simulation(std::uint64_t seed, std::FILE* trace_file, FaultName planted)
    : random(seed), trace(trace_file), fault(planted) {
  LOCKD_CHECK(simulation == nullptr, "one run at a time");
  simulation = this;
}

Simulation::~Simulation() { simulation = nullptr; }

void Simulation::switch_point() {
  if (fibers.running() != Fibers::none) fibers.yield();
}

void Simulation::count(std::string_view what, std::uint64_t times) {
  const auto found = tally.find(what);
  if (found != tally.end()) {
    found->second += times;
  } else {
    tally.emplace(what, times);
  }
}

}  // namespace lockd::simulator
