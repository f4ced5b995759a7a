// Improves planned code. Changes no meaning.
#pragma once

#include "engine/rego/compile/emit.h"

namespace portcullis::rego {

// One function, before it becomes part of a program. Its labels stay valid.
void optimise(FunctionBuilder& function);
// All functions together, as the last step.
void optimise(ProgramCode& program);

}  // namespace portcullis::rego
