// The CustomResourceDefinition that a template's kind of constraint gets, and the checks that constraints must pass.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "policy/model/template.h"
#include "policy/schema/schema.h"

namespace portcullis::policy {

// Made once per template; shared. Threads: immutable.
struct ConstraintSchema {
  std::string kind;
  Schema schema;  // of the whole constraint object
};

// The CRD as a JSON object ready for the API server: apiextensions.k8s.io/v1, metadata (name, labels, controller
// ownerReference when `template_uid` is not empty), spec.
// Errors (kInvalid): "invalid ConstraintTemplate: <apiextensions' texts>".
Result<Document> make_constraint_crd(const ConstraintTemplate& constraint_template, std::string_view template_uid = {});

// The same schema, compiled. Errors as make_constraint_crd.
Result<std::shared_ptr<const ConstraintSchema>> make_constraint_schema(const ConstraintTemplate& constraint_template);

// Whether a failed check is of the class "schema validation failed" (what gator's `invalid: true` expects).
bool is_schema_error(const Error& error) noexcept;

// Gatekeeper's checks of a constraint in its order: selectors, name, kind, group, version, schema, unknown fields.
// Errors (kInvalid) with its texts.
Result<void> validate_constraint(const Value& object, const ConstraintSchema& schema);

// `object` with the schema's defaults (spec.enforcementAction: deny, the template's own); lies in `arena`, shares with
// `object` what did not change.
Value default_constraint(Arena& arena, const Value& object, const ConstraintSchema& schema);

}  // namespace portcullis::policy
