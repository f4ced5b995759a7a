// sprintf with the semantics of Go's fmt package over the argument types that OPA passes.
#pragma once

#include "engine/rego/builtins/common.h"

namespace portcullis::rego::builtins {

Value builtin_sprintf(BuiltinContext& context, Args arguments);

}  // namespace portcullis::rego::builtins
