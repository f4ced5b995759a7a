// input.review as Gatekeeper shows it to Rego.
#pragma once

#include "base/arena.h"
#include "engine/value/value.h"
#include "policy/review/review.h"

namespace portcullis::policy {

// The AdmissionRequest with its JSON tags' rules for empty fields, plus namespaceObject. Lies in `arena`, shares the
// review's values. On DELETE `object` is the old object.
Value make_review_input(Arena& arena, const Review& review);

}  // namespace portcullis::policy
