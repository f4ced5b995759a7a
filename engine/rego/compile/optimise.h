// Improves one planned function before it becomes part of a program. Changes no meaning; labels stay valid because no
// instruction is added or removed, only rewritten.
#pragma once

#include "engine/rego/compile/emit.h"

namespace portcullis::rego {

void optimise(FunctionBuilder& function);

}  // namespace portcullis::rego
