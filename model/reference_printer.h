// The naive printer, with a table of texts of its own: the oracle for the bytes of every reply of one line.
#ifndef LOCKD_MODEL_REFERENCE_PRINTER_H_
#define LOCKD_MODEL_REFERENCE_PRINTER_H_

#include <string>
#include <string_view>

#include "model/types.h"

namespace lockd::model {

/// The reply to `request` that was answered `answer`, its LF included (F7). `version` is the X.Y.Z of E4. An unknown
/// verb is cut and escaped here (F8), so that `request.text` is the whole of it.
std::string print(const Answer& answer, const Request& request, std::string_view version);

/// A verb as it is spelled, and its own form with its arguments (F9), as for example `g` and `g KEY`.
std::string spelling(Verb verb);
std::string usage(Verb verb);

/// L2: `bytes` as a JSON string, quotes included.
std::string json_string(std::string_view bytes);

/// E2: a holder's name or address with a backslash and every blank as `\xHH`.
std::string listed_holder(std::string_view holder);

}  // namespace lockd::model

#endif  // LOCKD_MODEL_REFERENCE_PRINTER_H_
