// Reads transcripts: conversations of some clients with a server, as text files. The recorded ones of lockd's ancestors
// and the project's own scenario files have one format, and every target (model, session, daemon) replays the same
// files.
//
//     # A comment. Blank lines are ignored too.
//     #! a deed                         what a checker did that no client can do; nobody plays it
//     flags --classic --max-locks 2     what the server is started with: once at most, before the first `connect`
//     connect C                         client C (letters, digits and `_`) opens its one connection
//     C> request                        C sends these bytes and an LF
//     C>| bytes                         C sends these bytes alone, so that a request can be cut anywhere
//     C< reply line                     the next line that C receives, its LF left out
//     C<* reply line                    the same, but consecutive lines of this sort may come in any order
//     C< (nothing)                      C receives nothing for what it sent last
//     C< END-OF-STREAM                  the server has closed C's connection
//     finish C                          C closes its sending side (FIN) and goes on reading
//     close C                           C closes its connection
//     reset C                           C's connection is reset (RST)
//     waits C                           C's session waits now (W1), and has answered all that it has executed
//     timeout C                         the time of that wait is up (W5): targets without a clock are told so, a
//                                       daemon's own clock says it, so milliseconds are few where this follows, and
//                                       else many
//     tokens A < B < C                  the tokens of these names, which were shown, grow in this order (T1)
//
// One blank stands between the sign and the bytes, and those behind it count. In replies `{C}` stands for client C's
// address, `{token NAME}` for a token, always the same one for a name and different ones for different names (T1), and
// `{number}` for any number at all.
#ifndef LOCKD_PROPTESTS_TRANSCRIPT_H_
#define LOCKD_PROPTESTS_TRANSCRIPT_H_

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lockd::proptests {

/// How bytes are written. Scenario files: as they are, and `\\`, `\t`, `\r`, `\n` (behind `>|` only) and `\xHH` in
/// requests and replies. Recorded files: in UTF-8, each character being the byte of that number (Latin-1), and no
/// escape but one `\r` at the end of a reply.
enum class TranscriptFormat { recorded, scenario };

enum class StepKind {
  flags,
  connect,
  send,
  expect,
  expect_any_order,
  expect_nothing,
  expect_end,
  finish,
  close,
  reset,
  wait,
  time_out,
  tokens,
  beyond_clients
};

/// One thing to do or to see. Reply lines of one client and sort that follow one another make one step.
struct TranscriptStep {
  StepKind kind = StepKind::flags;
  int line = 0;                    // where it begins in the file, from 1
  std::string client;              // of all but `flags`, `tokens` and `#!`
  std::string bytes;               // of `send`: all that goes out, the LF included
  std::vector<std::string> lines;  // of `expect` and `expect_any_order`: without LF; of `flags`: the words; of
                                   // `tokens`: the names; of `#!`: the deed

  friend bool operator==(const TranscriptStep&, const TranscriptStep&) = default;
};

/// Says "file:line: what".
struct TranscriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The steps of a whole file; `file` is its name for errors. Throws TranscriptError at the first line that says
/// nothing, or that asks for the impossible: a client that speaks before `connect` or after its end, or connects twice.
std::vector<TranscriptStep> read_transcript(std::string_view text, const std::string& file, TranscriptFormat format);

/// The same from a file of the file system; a file that can't be read is an error too.
std::vector<TranscriptStep> load_transcript(const std::string& path, TranscriptFormat format);

/// Whether anything is to be done: a file of comments alone, or an empty one, shows nothing.
bool is_playable(const std::vector<TranscriptStep>& steps);

/// `text` with `{C}` replaced for each client C that `addresses` knows. Other braces stay.
std::string with_addresses(std::string_view text, const std::map<std::string, std::string>& addresses);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_TRANSCRIPT_H_
