#include "simulator/profile.h"

#include <string_view>
#include <utility>

namespace lockd::simulator {
namespace {

/// K a key, M milliseconds, L a limit, N a name, G bytes without sense, Z a line too long. Behind a listing without an
/// end comes a request that shows where it ends.
constexpr std::array<std::string_view, 40> forms = {
    "g K\n",        "gw M K\n",  "r K\n",         "i K\n",           "iw K\n",      "t K\n",
    "sg K\n",       "sgl L K\n", "sgw L M K\n",   "sr K\n",          "si K\n",      "siw K\n",
    "st K\n",       "ra\n",      "cancel\n",      "d\nping\n",       "sd\nping\n",  "d K\nping\n",
    "sd K\nping\n", "dump\n",    "dump shared\n", "list\n",          "list k\n",    "q\n",
    "stats\n",      "me\n",      "iam N\n",       "iam\n",           "who\nping\n", "who N\nping\n",
    "ping\n",       "version\n", "help\n",        "quit\n",          "g K\r\n",     "  gw  M   K \n",
    "G\n",          "Z\n",       "gw M K\nr K\n", "GET / HTTP/1.1\n"};

/// The usual weight of each.
constexpr std::array<std::size_t, forms.size()> usual = {8, 16, 10, 2, 2, 3, 4, 4, 10, 5, 2, 1, 1, 2, 4, 1, 1, 1, 1, 1,
                                                         1, 2,  1,  1, 1, 2, 2, 1, 1,  1, 3, 1, 1, 1, 1, 1, 1, 1, 6, 1};

constexpr std::array<std::size_t, deed_count> usual_deeds = {12, 120, 120, 200, 100, 60, 16, 4, 4, 2, 2, 1, 1, 8, 1};

std::string draw_milliseconds(Random& random) {
  constexpr std::array<std::size_t, 6> most = {0, 1, 20, 20, 2000, 60000};
  return std::to_string(random.below(most[random.below(most.size())] + 1));
}

std::string draw_garbage(Random& random) {
  std::string bytes = "#";  // no verb begins so
  for (std::size_t i = random.between(1, 12); i > 0; --i) {
    const char byte = static_cast<char>(random.below(256));
    bytes += byte == '\n' ? '\r' : byte;
  }
  return bytes;
}

}  // namespace

Profile::Profile(Random& random) {
  threads = random.chance(300) ? 1 : random.between(2, 4);
  shards = std::uint32_t{1} << random.below(4);
  const bool is_certain = threads == 1;  // the reference server follows
  clients_max = is_certain ? random.between(2, 7) : random.between(2, 14);
  keys = random.between(1, random.chance(300) ? 12 : 4);
  hot_per_mille = random.below(700);
  steps = random.between(500, 3000);
  if (random.chance(250)) locks_max = random.between(1, 3);
  if (random.chance(250)) waiters_max = random.between(1, 2);
  if (!is_certain && random.chance(600)) slice_locks_max = random.between(1, 2);
  read_bytes_max = random.chance(300) ? random.between(1, 8) : 4096;
  window = random.chance(300) ? random.between(1, 64) : random.between(200, 20000);
  deeds_per_mille = random.between(50, 700);
  switch_per_mille = random.between(20, 1000);
  settings.line_bytes_max = random.chance(200) ? random.between(16, 40) : 100;
  settings.output_bytes_max = random.chance(400) ? random.between(1, 200) : 4096;
  if (!is_certain && random.chance(200)) settings.input_bytes_max = random.between(20, 60);
  settings.classic = random.chance(150);
  settings.dump = !random.chance(100);
  settings.registry = !random.chance(100);
  for (const std::size_t weight : usual)
    request_weights.push_back(random.chance(250) ? 0 : weight * random.between(1, 4));
  if (random.chance(400)) {  // they wait for one another, and hardly anything else happens
    keys = random.between(2, 3);
    hot_per_mille = 0;
    request_weights[0] += 40;
    request_weights[1] += 150;
    request_weights[2] += 15;
  }
  request_weights[0] += 1;
  for (std::size_t deed = 0; deed < deed_count; ++deed) {
    const bool is_fault = deed >= static_cast<std::size_t>(Deed::stop_reading);
    const bool is_left_out = is_fault && random.chance(400);
    deed_weights[deed] = is_left_out ? 0 : usual_deeds[deed] * random.between(1, 3);
  }
}

std::string Profile::draw_request(Random& random) const {
  std::string request;
  const std::string key = "k" + std::to_string(random.chance(hot_per_mille) ? 0 : random.below(keys));
  const std::string_view form = forms[draw_weighted(random, request_weights)];
  const bool has_words = form != "GET / HTTP/1.1\n";
  for (const char letter : form) {
    if (letter == 'K' && has_words) {
      request += key;
    } else if (letter == 'M') {
      request += draw_milliseconds(random);
    } else if (letter == 'L') {
      request += std::to_string(random.between(random.chance(30) ? 0 : 1, 3));
    } else if (letter == 'N') {
      request += "n" + std::to_string(random.below(3));
    } else if (letter == 'G' && has_words) {
      request += draw_garbage(random);
    } else if (letter == 'Z') {
      request += std::string(settings.line_bytes_max + random.between(0, 2), 'z');
    } else {
      request += letter;
    }
  }
  return request;
}

}  // namespace lockd::simulator
