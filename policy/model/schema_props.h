// JSON Schema as Kubernetes' apiextensions types hold it: known keywords only, typed, empty ones dropped.
#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::policy {

// `schema` (an object) as Go's JSONSchemaProps would keep and print it. Lies in `arena`, shares leaves with `schema`.
// Errors (kInvalid): "json: cannot unmarshal string into Go struct field JSONSchemaProps.<path>.type of type string".
Result<Value> normalize_schema_props(Arena& arena, const Value& schema, const std::string& path);

// legacySchema: preserve-unknown-fields on every node of type "" or object, items for arrays that have none.
// `schema` must be normalized; undefined gives an empty preserve-unknown schema. Errors (kInvalid): items given as a
// list.
Result<Value> add_preserve_unknown_fields(Arena& arena, const Value& schema);

}  // namespace portcullis::policy
