// JSON pointers and arrays of keys, as json.filter, json.remove and json.patch take them.
#pragma once

#include <optional>
#include <vector>

#include "engine/rego/builtins/common.h"

namespace portcullis::rego::builtins {

// "a/b~1c" or ["a", "b/c"] as its steps. nullopt: the error is in the context.
std::optional<std::vector<Value>> parse_path(BuiltinContext& context, const Value& path);

Value json_filter(BuiltinContext& context, Args arguments);
Value json_remove(BuiltinContext& context, Args arguments);
Value json_patch(BuiltinContext& context, Args arguments);

}  // namespace portcullis::rego::builtins
