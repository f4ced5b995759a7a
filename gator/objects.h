// Objects that suites name: one or several YAML documents in a file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"

namespace portcullis::gator {

// One document as an object: integers exact, other numbers float64. The kind is required.
// Errors (kInvalid): "yaml: …", "Object 'Kind' is missing in '{…}'".
Result<Document> parse_object(std::string_view text, std::string_view source);

// All documents of a file, split at lines that begin with "---". `shown` is how errors name the file.
// Errors: "open …", `reading "…": invalid yaml: …`, `missing objects: path "…" defines no YAML objects`.
Result<std::vector<Document>> read_objects(const std::string& path, std::string_view shown);

}  // namespace portcullis::gator
