// A syntax tree as the indented outline that `opa parse` prints.
#pragma once

#include <string>

#include "engine/rego/syntax/ast.h"

namespace portcullis::opa {

std::string tree_text(const rego::Module& module);

}  // namespace portcullis::opa
