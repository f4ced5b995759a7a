// Answers one request of the differential test as OPA's side does (README.md has both shapes).
// Threads: any; everything is made anew for a request.
#pragma once

#include <string>
#include <string_view>

#include "engine/value/value.h"

namespace portcullis::differential {

// One line of JSON without a line feed. `modes`: every rule is also planned for its known input and evaluated with
// shared values; an answer that differs then begins with "MODES DIFFER".
std::string answer(const Value& request, bool modes);

}  // namespace portcullis::differential
