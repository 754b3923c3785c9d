// What a floor answers: the replies that lockd would send for a success, made of the request's own line.
#ifndef LOCKD_BENCH_FLOOR_REPLIES_H_
#define LOCKD_BENCH_FLOOR_REPLIES_H_

#include <string>
#include <string_view>

namespace lockd::bench {

/// The replies to each line that is whole with these bytes, as one piece. It knows `g`, `r` and `ping`. `cut` holds the
/// beginning of a line that the read before cut in two, and then that of this one: empty, mostly.
void answer_lines(std::string_view bytes, std::string& cut, std::string& replies);

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_FLOOR_REPLIES_H_
