// sprintf with the semantics of Go's fmt package over the argument types that OPA passes.
#pragma once

#include "engine/rego/builtins/common.h"

namespace portcullis::rego::builtins {

Value builtin_sprintf(BuiltinContext& context, Args arguments);

// The same on plain values: an undefined one is Go's nil, and `types` (as many, or none) are the names of the types
// where these are not those that OPA's sprintf passes.
Value go_printf(BuiltinContext& context, std::string_view format, std::span<const Value> values,
                std::span<const std::string_view> types);

}  // namespace portcullis::rego::builtins
