// Numbers as Go's encoding/json prints a float64.
#pragma once

#include "engine/value/value.h"

namespace portcullis::gator {

// `value` with every number that is not a small integer in Go's JSON form: 1e+06 -> 1000000, 1.50 -> 1.5. Shares what
// does not change.
Value as_json_floats(Arena& arena, const Value& value);

}  // namespace portcullis::gator
