// Syntax trees as the JSON that OPA gives for them (rego.parse_module, `opa parse --format json`).
// Threads: any. Cost: linear in the tree.
#pragma once

#include <string>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego {

// Without locations of terms and rules; comments have theirs. Members stand in the order in which OPA prints them.
std::string module_json(const Module& module);
std::string body_json(const Body& body);

}  // namespace portcullis::rego
