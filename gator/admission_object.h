// An AdmissionReview given as the object of a case: decoded strictly, as gator does.
#pragma once

#include "base/error.h"
#include "engine/rego/eval/program.h"
#include "policy/review/review.h"

namespace portcullis::gator {

// Errors (kInvalid): "not a valid AdmissionReview object: …", "missing an AdmissionRequest object: …", "no object or
// oldObject found to review: …", "object or oldObject cannot be unmarshalled: …".
Result<policy::Review> review_of_admission_object(const Value& object, rego::EvalScratch& scratch);

}  // namespace portcullis::gator
