// Joins the families' tables.
#pragma once

#include "engine/rego/eval/builtin.h"

namespace portcullis::rego {

// All builtins there are. One instance for the process; a copy can have some disabled.
const BuiltinRegistry& all_builtins();

}  // namespace portcullis::rego
