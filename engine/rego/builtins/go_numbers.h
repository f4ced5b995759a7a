// Number texts as Go's strconv reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

enum class GoFloat : std::uint8_t { kValid, kSyntax, kRange, kSpecial };

// What strconv.ParseFloat(text, 64) would say; kSpecial for the spellings of infinity and NaN.
GoFloat check_go_float(std::string_view text);
// A text that check_go_float found valid, as a JSON number literal of the same value ("+.5" → "0.5", "1_0" → "10").
std::string as_json_number(std::string_view text);
// The value of such a text.
double go_float_value(std::string_view text);

std::string go_quoted(std::string_view text);

}  // namespace portcullis::rego::builtins
