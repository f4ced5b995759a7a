// Rego's canonical source text: byte for byte what `opa fmt` v1.22.2 writes. Comments keep their places; where one
// stands that the layout has no place for, the source around it is kept as it was. Threads: any, on different modules.
// Ownership: what is returned owns its text. Cost: about linear in the source, times the nesting of collections;
// nesting is bounded by the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

// Versions the result has to parse as. kV0AndV1 adds `import rego.v1` and writes what both versions read.
enum class FormatTarget : std::uint8_t { kV0, kV1, kV0AndV1 };

struct FormatOptions {
  FormatTarget target = FormatTarget::kV1;
  bool drop_imports = false;      // leave out `rego.v1` and `future.keywords` imports that the target makes needless
  bool ignore_locations = false;  // lay out as if all stood on one line: for trees that nobody wrote
};

// `module` is taken by value because it is changed on the way. Errors: rego_type_error for an infix operator that was
// called with the wrong number of arguments, rego_format_error for a comment that can be put nowhere.
Parsed<std::string> format_module(Module module, const FormatOptions& options);
// A query on lines of its own, each ended by a newline.
Parsed<std::string> format_body(Body body, const FormatOptions& options);

// What v1 asks of a module beyond its syntax; to be asked before formatting for a target that v1 reads: imports that
// shadow each other, rules and variables named input or data, deprecated builtins, keywords as rule names.
Diagnostics check_for_v1(const Module& module);

}  // namespace portcullis::rego
