// What a run and a check have found, for people.
#ifndef LOCKD_HISTORIES_REPORT_H_
#define LOCKD_HISTORIES_REPORT_H_

#include <string>

#include "histories/checker.h"
#include "histories/run.h"

namespace lockd::histories {

/// Operations by verb and outcome, sessions, keys; verdicts, and for each that is not ok the reason. Ends in a line
/// feed.
std::string as_text(const History& history, const Report& report);
/// The trouble of a run by kind.
std::string as_text(const RunResult& result);

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_REPORT_H_
