// The verbs: how each is spelled, and what may follow it.
#ifndef LOCKD_SERVER_VERBS_H_
#define LOCKD_SERVER_VERBS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/words.h"
#include "model/types.h"

namespace lockd::server {

/// What may follow a verb.
enum class Takes : std::uint8_t {
  text,           // a key, a name, a word: the folded rest of the line, possibly empty (F3)
  nothing,        // an extended verb without arguments: words are bad (F9)
  words_ignored,  // a classic verb without arguments (F9)
};

/// The numbers that stand before the text, in this order.
enum class Numbers : std::uint8_t { none, limit, milliseconds, limit_and_milliseconds };

/// One row of the table of verbs.
struct VerbRow {
  Verb verb;
  std::string_view name;     // as it stands on the wire (F2)
  std::string_view usage;    // its form, for `0 Bad Arguments: USAGE` (F9) and `help` (E4)
  std::string_view summary;  // for `help`
  Takes takes;
  Numbers numbers = Numbers::none;
};

/// All verbs, in the order of Verb. The only place that knows how a verb is spelled.
inline constexpr std::array<VerbRow, verb_count> verb_table = {{
    {Verb::get, "g", "g KEY", "take the exclusive lock KEY, or fail at once", Takes::text},
    {Verb::get_wait, "gw", "gw MILLISECONDS KEY", "take the exclusive lock KEY, waiting in line for so long",
     Takes::text, Numbers::milliseconds},
    {Verb::release, "r", "r KEY", "release the exclusive lock KEY", Takes::text},
    {Verb::inspect, "i", "i KEY", "is anybody holding the exclusive lock KEY?", Takes::text},
    {Verb::inspect_line, "iw", "iw KEY", "how many wait for the exclusive lock KEY?", Takes::text},
    {Verb::token, "t", "t KEY", "the token of the exclusive lock KEY, which this connection holds", Takes::text},
    {Verb::get_shared, "sg", "sg KEY", "take the shared lock KEY; how many hold it now?", Takes::text},
    {Verb::get_limited, "sgl", "sgl LIMIT KEY", "the same, unless LIMIT hold it already or somebody is in line",
     Takes::text, Numbers::limit},
    {Verb::get_limited_wait, "sgw", "sgw LIMIT MILLISECONDS KEY", "the same, waiting in line for so long", Takes::text,
     Numbers::limit_and_milliseconds},
    {Verb::release_shared, "sr", "sr KEY", "release the shared lock KEY", Takes::text},
    {Verb::inspect_shared, "si", "si KEY", "how many hold the shared lock KEY?", Takes::text},
    {Verb::inspect_shared_line, "siw", "siw KEY", "how many wait for the shared lock KEY?", Takes::text},
    {Verb::token_shared, "st", "st KEY", "the token of the shared lock KEY, which this connection holds", Takes::text},
    {Verb::release_all, "ra", "ra", "release all locks of this connection", Takes::nothing},
    {Verb::cancel, "cancel", "cancel", "stop waiting", Takes::nothing},
    {Verb::list_locks, "d", "d [KEY]", "list exclusive locks and their holders", Takes::text},
    {Verb::list_shared, "sd", "sd [KEY]", "list shared locks and their holders", Takes::text},
    {Verb::dump, "dump", "dump [shared]", "all locks and the addresses of their holders, as JSON", Takes::text},
    {Verb::list, "list", "list [PREFIX]", "all holders and waiters, with ages and tokens, of keys that begin so",
     Takes::text},
    {Verb::counters, "q", "q", "the classic counters", Takes::words_ignored},
    {Verb::statistics, "stats", "stats", "all counters", Takes::nothing},
    {Verb::me, "me", "me", "this connection's address and name", Takes::words_ignored},
    {Verb::name_me, "iam", "iam [NAME]", "name this connection; without NAME, forget its name", Takes::text},
    {Verb::who, "who", "who [NAME]", "list the connections that have a name", Takes::text},
    {Verb::ping, "ping", "ping", "is the server there?", Takes::nothing},
    {Verb::version, "version", "version", "the server's version", Takes::nothing},
    {Verb::help, "help", "help", "this list", Takes::nothing},
    {Verb::quit, "quit", "quit", "end this connection", Takes::nothing},
}};

/// The longest word that has a number.
inline constexpr std::size_t short_word_bytes_max = 7;

/// A short word as a number: its bytes, the first one lowest, and a space behind them. So no two words have the same,
/// and where a word lies in memory, with a space behind it, its number can be read in one go.
constexpr std::uint64_t number_of(std::string_view word) {
  std::uint64_t number = 0;
  int shift = 0;
  for (const char byte : word) {
    number |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
    shift += 8;
  }
  return number | std::uint64_t{' '} << shift;
}

/// The rows of verb_table by the numbers of their names: each has a place of its own.
class VerbIndex {
 public:
  /// Looks for a factor that sends no two of them to one place. There is one, or this is no constant.
  constexpr VerbIndex() {
    while (!places_are_free()) factor_ *= 6364136223846793005;  // odd, with bits as if drawn
    for (std::size_t row = 0; row < verb_table.size(); ++row) {
      numbers_[row] = number_of(verb_table[row].name);
      rows_[place_of(numbers_[row])] = static_cast<std::uint8_t>(row);
    }
  }

  /// nullptr where no verb has this number.
  constexpr const VerbRow* find(std::uint64_t number) const {
    const std::uint8_t row = rows_[place_of(number)];
    return numbers_[row] == number ? &verb_table[row] : nullptr;
  }

  const VerbRow* find(std::string_view name) const {
    if (name.size() > short_word_bytes_max) return nullptr;
    return find(engine::tail_of(name) | std::uint64_t{' '} << (8 * name.size()));
  }

 private:
  static constexpr int place_bits = 8;

  constexpr std::size_t place_of(std::uint64_t number) const {
    return static_cast<std::size_t>(number * factor_ >> (64 - place_bits));
  }

  constexpr bool places_are_free() const {
    std::array<bool, std::size_t{1} << place_bits> taken{};
    return std::ranges::none_of(verb_table, [&](const VerbRow& row) {
      return row.name.size() > short_word_bytes_max || std::exchange(taken[place_of(number_of(row.name))], true);
    });
  }

  std::uint64_t factor_ = 0x9E3779B97F4A7C15;
  std::array<std::uint8_t, std::size_t{1} << place_bits> rows_{};  // of an empty place the first
  std::array<std::uint64_t, verb_count> numbers_{};
};

inline constexpr VerbIndex verb_index;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_VERBS_H_
