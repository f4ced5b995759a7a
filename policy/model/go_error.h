// Texts of Go's decoding errors, which users see in Gatekeeper's messages.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::policy {

// What encoding/json calls a JSON value: "string", "number", "number 1.5" (with text), "bool", "array", "object".
std::string json_kind(const Value& value, bool number_text = false);

// "json: cannot unmarshal string into Go struct field ConstraintTemplate.spec.targets of type []v1.Target".
std::string json_type_error(const Value& value, std::string_view field, std::string_view go_type);
// "json: cannot unmarshal string into Go value of type map[string]interface {}".
std::string json_value_error(const Value& value, std::string_view go_type);

// unstructured.NestedX's text: ".spec.match accessor error: a is of the type string, expected map[string]interface{}".
std::string accessor_error(std::string_view path, const Value& value, std::string_view expected);
// Go's %v of a JSON value as unstructured holds it, and its %T.
std::string go_value(const Value& value);
std::string_view go_type(const Value& value) noexcept;

}  // namespace portcullis::policy
