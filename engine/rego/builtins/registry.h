// Joins the families' tables.
#pragma once

#include "engine/rego/eval/builtin.h"

namespace portcullis::rego {

// All builtins there are. One instance for the process; a copy can have some disabled.
const BuiltinRegistry& all_builtins();

// All of them and some more, whose table must outlive the registry (test.sleep of OPA's own cases).
BuiltinRegistry builtins_with(std::span<const BuiltinDecl> more);

}  // namespace portcullis::rego
