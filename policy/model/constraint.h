// A constraint that passed validation, ready for matching and evaluation.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/value/document.h"
#include "policy/model/action.h"
#include "policy/model/object.h"

namespace portcullis::policy {

// Threads: immutable. Ownership: owns its object.
struct Constraint {
  Document document;  // root: the object with schema defaults, without status
  std::string kind;
  std::string name;
  Value object;      // document.root()
  Value match;       // spec.match, or undefined
  Value parameters;  // spec.parameters, or {}
  Enforcement enforcement;
};
using ConstraintPtr = std::shared_ptr<const Constraint>;

// "invalid Constraint: missing metadata.name", "… missing kind", "… wrong API Group for Constraint …" (kInvalid).
Result<void> validate_constraint_metadata(const Value& object);

// Copies `object` (already validated and defaulted, see policy/schema) without its status; numbers become what
// Kubernetes' unstructured objects hold (int64 where it fits, else float64). Errors: decode_enforcement's.
Result<ConstraintPtr> decode_constraint(const Value& object);

// Same spec, labels and annotations (status, generation and the rest do not count): nothing to load again.
bool same_constraint(const Value& a, const Value& b) noexcept;

}  // namespace portcullis::policy
