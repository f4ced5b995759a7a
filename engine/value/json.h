// JSON text of Values. Object keys come out in Rego's order (for string keys that is byte order, as Go's maps print).
#pragma once

#include <string>

#include "engine/value/value.h"

namespace portcullis {

struct JsonStyle {
  int indent = 0;            // spaces per level; 0 = compact
  bool escape_html = false;  // escape < > & U+2028 U+2029, as Go's encoding/json does by default
  // Go writes "a": 1 when indenting and "a":1 when compact; Rego's term printing writes "a": 1 and ", " in one line.
  bool spaced = false;
  // Every number as Go's encoding/json writes a float64: 1000000 for 1e+06, 12345678901234568 for …567.
  bool float64_numbers = false;
};

// Sets become arrays; an object key that is no string becomes its own JSON text as a string (as OPA's ast.JSON does).
// Numbers are written as they were spelled. Undefined writes nothing.
void append_json(std::string& out, const Value& value, const JsonStyle& style = {});
std::string to_json(const Value& value, const JsonStyle& style = {});

// Rego term syntax as OPA's ast.Value.String() prints it: {"a": 1}, [1, 2], {1, 2}, set(), strings quoted as Go's %q
// is where OPA does so. Used by sprintf's %v and by error messages.
void append_rego(std::string& out, const Value& value);
std::string to_rego(const Value& value);

}  // namespace portcullis
