#include "fuzz/session_steps.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace lockd::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr char escape = '\xFF';

constexpr std::array requests_of_keys = {"g"sv,  "gw 9"sv,  "gw 0"sv,    "r"sv,       "i"sv,  "iw"sv, "t"sv,
                                         "sg"sv, "sgl 1"sv, "sgl 2"sv,   "sgw 1 9"sv, "sr"sv, "si"sv, "siw"sv,
                                         "st"sv, "g"sv,     "sgw 2 9"sv, "gw 9"sv,    "r"sv,  "sr"sv};
constexpr std::array keys = {" k"sv, " k"sv, " k"sv, " l"sv, " l"sv, " m"sv, ""sv, " k l"sv};
constexpr std::array others = {"ra"sv,   "cancel"sv,  "cancel"sv, "d"sv,           "d k"sv,     "sd"sv,    "sd k"sv,
                               "dump"sv, "list"sv,    "list k"sv, "dump shared"sv, "q"sv,       "stats"sv, "me"sv,
                               "iam"sv,  "iam n"sv,   "who"sv,    "who n"sv,       "ping"sv,    "quit"sv,  "help"sv,
                               "gw"sv,   "sgl 0 k"sv, "GET /"sv,  "iam a b"sv,     "version"sv, "frob"sv,  ""sv};

bool is_action(std::string_view input, std::size_t at) {
  return input[at] == escape && at + 1 < input.size() && input[at + 1] != escape;
}

/// All of it comes from one seed.
class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  void mutate(std::vector<std::string>& steps) {
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(steps);
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  template <class Items>
  std::string pick(const Items& items) {
    return std::string(items[below(items.size())]);
  }

  void change(std::vector<std::string>& steps) {
    const std::size_t kinds = steps.empty() ? 2 : 6;
    const std::size_t kind = below(kinds);
    const auto place = [&] { return steps.begin() + static_cast<std::ptrdiff_t>(below(steps.size())); };
    const auto gap = steps.begin() + static_cast<std::ptrdiff_t>(below(steps.size() + 1));
    if (kind == 0) steps.insert(gap, request());
    if (kind == 1) steps.insert(gap, action());
    if (kind == 2) steps.erase(place());
    if (kind == 3) steps.insert(gap, std::string(*place()));
    if (kind == 4) place()->swap(*place());
    if (kind == 5) *place() = below(2) == 0 ? request() : action();
  }

  std::string request() { return (below(3) == 0 ? pick(others) : pick(requests_of_keys) + pick(keys)) + "\n"; }

  /// Half of them only say who goes on.
  std::string action() {
    const auto chosen = below(2) == 0 ? Action::use : static_cast<Action>(below(action_count));
    return written(chosen, below(slot_count));
  }

  std::minstd_rand random_;
};

}  // namespace

Step take_step(std::string_view& rest) {
  Step step;
  std::size_t size = 0;
  if (is_action(rest, 0)) {
    const auto code = static_cast<unsigned char>(rest[1]);
    step.action = static_cast<Action>(code % action_count);
    step.slot = code / action_count % slot_count;
    size = 2;
  } else {
    while (size < rest.size() && !is_action(rest, size)) {
      size += rest[size] == escape && size + 1 < rest.size() ? 2 : 1;
      if (rest[size - 1] == '\n') break;
    }
  }
  step.raw = rest.substr(0, size);
  rest.remove_prefix(size);
  return step;
}

void append_bytes(const Step& step, std::string& bytes) {
  std::string_view rest = step.raw;
  while (!rest.empty()) {
    const std::size_t size = std::min(rest.find(escape), rest.size() - 1) + 1;
    bytes += rest.substr(0, size);
    rest.remove_prefix(std::min(rest[size - 1] == escape ? size + 1 : size, rest.size()));
  }
}

std::string written(Action action, std::size_t slot) {
  return {escape, static_cast<char>(static_cast<std::size_t>(action) + slot * action_count)};
}

std::string written(std::string_view bytes) {
  std::string input;
  for (const char byte : bytes) input.append(byte == escape ? 2 : 1, byte);
  return input;
}

std::string mutated(std::string_view input, std::size_t size_max, std::uint32_t seed) {
  Mutator mutator(seed);
  std::string changed(1, input.empty() ? '\0' : input.front());
  if (mutator.below(16) == 0) changed[0] = static_cast<char>(mutator.below(256));

  std::vector<std::string> steps;
  for (std::string_view rest = input.substr(std::min<std::size_t>(1, input.size())); !rest.empty();) {
    steps.emplace_back(take_step(rest).raw);
  }
  mutator.mutate(steps);
  for (const std::string& step : steps) {
    if (changed.size() + step.size() <= size_max) changed += step;
  }
  return changed;
}

}  // namespace lockd::fuzz
