// float64 to text as Go's strconv.FormatFloat.
#pragma once

#include <string>

namespace portcullis::rego::builtins {

// `format` is one of e E f g G b x X; `precision` -1 means the shortest text that reads back the same.
// `value` must be finite.
std::string go_format_float(double value, char format, int precision);

}  // namespace portcullis::rego::builtins
