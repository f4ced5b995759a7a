// Checks and decodes number and string literals as OPA does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::rego {

enum class NumberCheck : std::uint8_t { kOk, kInvalid, kTooBig };
// Whether the literal is a number whose binary exponent stays within OPA's bound of 100,000.
NumberCheck check_number(std::string_view literal);

// What stands between the quotes, escapes decoded as Go's encoding/json does (a lone surrogate becomes U+FFFD). False
// for a bad \u escape or a control character; `inner` has at least one backslash.
bool decode_string(std::string_view inner, std::string& out);

}  // namespace portcullis::rego
