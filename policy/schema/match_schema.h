// The schema of spec.match, shared by the CRDs of constraints (and of mutators).
#pragma once

#include "base/arena.h"
#include "engine/value/value.h"

namespace portcullis::policy {

Value match_schema(Arena& arena);

}  // namespace portcullis::policy
