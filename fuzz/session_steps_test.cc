// Inputs of session_fuzzer: read as they were written, and changed within their bounds.
#include "fuzz/session_steps.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::fuzz {
namespace {

using namespace std::string_view_literals;

std::vector<Step> steps_of(std::string_view rest) {
  std::vector<Step> steps;
  while (!rest.empty()) steps.push_back(take_step(rest));
  return steps;
}

TEST(SessionSteps, lines_and_actions_are_steps) {
  const auto steps = steps_of("g k\n\nr\xFF\x0Fi k"sv);
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[0].raw, "g k\n");
  EXPECT_EQ(steps[1].raw, "\n");
  EXPECT_EQ(steps[2].raw, "r");
  EXPECT_EQ(steps[2].action, std::nullopt);
  EXPECT_EQ(steps[3].action, Action::time_out);
  EXPECT_EQ(steps[3].slot, 1U);
  EXPECT_EQ(steps[4].raw, "i k");
}

TEST(SessionSteps, what_is_written_is_read) {
  for (const std::string_view bytes : {"g \xFF\n"sv, "\xFF\xFF\xFF\x07\n"sv, "\xFF\n"sv, "\0\n"sv}) {
    const std::string input = written(bytes);
    std::string read;
    for (const Step& step : steps_of(input)) append_bytes(step, read);
    EXPECT_EQ(read, bytes);
  }
  for (std::size_t action = 0; action < action_count; ++action) {
    for (std::size_t slot = 0; slot < slot_count; ++slot) {
      const std::string input = written(static_cast<Action>(action), slot);
      const auto steps = steps_of(input);
      ASSERT_EQ(steps.size(), 1U);
      EXPECT_EQ(steps[0].action, static_cast<Action>(action));
      EXPECT_EQ(steps[0].slot, slot);
    }
  }
}

TEST(SessionSteps, every_byte_is_in_a_step) {
  for (const std::string_view input : {"\xFF"sv, "\xFF\xFF"sv, "\xFF\xFF\xFF"sv, "a\xFF\nb\xFF"sv, "\xFF\x01\xFF"sv}) {
    std::string joined;
    for (const Step& step : steps_of(input)) joined += step.raw;
    EXPECT_EQ(joined, input);
  }
  std::string bytes;
  append_bytes(steps_of("\xFF"sv).front(), bytes);
  EXPECT_EQ(bytes, "\xFF");
}

TEST(SessionSteps, a_mutation_keeps_its_bound_and_depends_on_the_seed_alone) {
  const std::string input = "\x01g k\n\xFF\x08gw 9 k\n\xFF\x0F";
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    for (const std::size_t size_max : {1U, 2U, 16U, 256U}) {
      const std::string changed = mutated(input, size_max, seed);
      EXPECT_GE(changed.size(), 1U);
      EXPECT_LE(changed.size(), size_max);
      EXPECT_EQ(changed, mutated(input, size_max, seed));
    }
  }
}

// From nothing, since what is never put in is never found.
TEST(SessionSteps, every_verb_and_every_action_comes_up) {
  std::map<std::string, int> seen;
  std::string input;
  for (std::uint32_t seed = 1; seed < 20'000; ++seed) {
    input = mutated(input, 256, seed * 2654435761U);
    for (const Step& step : steps_of(std::string_view(input).substr(1))) {
      if (step.action) {
        ++seen["action " + std::to_string(static_cast<int>(*step.action)) + " " + std::to_string(step.slot)];
      } else {
        ++seen[std::string(step.raw.substr(0, step.raw.find_first_of(" \n")))];
      }
    }
  }
  for (const char* verb :
       {"g",      "gw", "r",  "i",    "iw",   "t", "sg",    "sgl", "sgw", "sr",  "si",   "siw",     "st",   "ra",
        "cancel", "d",  "sd", "dump", "list", "q", "stats", "me",  "iam", "who", "ping", "version", "help", "quit"}) {
    EXPECT_GT(seen[verb], 100) << verb;
  }
  for (int action = 0; action < 8; ++action) {
    for (int slot = 0; slot < 4; ++slot) {
      const std::string name = "action " + std::to_string(action) + " " + std::to_string(slot);
      EXPECT_GT(seen[name], 100) << name;
    }
  }
}

// A corpus is made of what is removed, too.
TEST(SessionSteps, inputs_grow_and_shrink) {
  const std::string input = std::string(1, '\0') + "g k\ng k\ng k\ng k\n";
  int longer = 0;
  int shorter = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    const auto size = mutated(input, 256, seed * 2654435761U).size();
    longer += size > input.size() ? 1 : 0;
    shorter += size < input.size() ? 1 : 0;
  }
  EXPECT_GT(longer, 200);
  EXPECT_GT(shorter, 50);
}

}  // namespace
}  // namespace lockd::fuzz
