// A ConstraintTemplate (v1, v1beta1, v1alpha1) decoded into what the engine needs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "policy/model/object.h"

namespace portcullis::policy {

struct TemplateCode {
  std::string engine;
  Value source;  // any JSON; lies in the template's document
};

struct TemplateTarget {
  std::string target;
  std::vector<TemplateCode> code;       // legacy rego/libs already folded in as engine Rego
  std::vector<std::string> operations;  // empty: all
};

// Threads: immutable once decoded. Ownership: the object and everything borrowed from it lives in `document`.
struct ConstraintTemplate {
  std::shared_ptr<const Document> document;
  Value object;  // the template as given
  std::string name;
  std::string kind;  // spec.crd.spec.names.kind; the constraint kind
  std::vector<std::string> short_names;
  Value labels;             // metadata.labels, or undefined
  Value parameters_schema;  // openAPIV3Schema after legacySchema's treatment; undefined: no parameters allowed
  std::vector<TemplateTarget> targets;

  // Null when the target has no entry for `engine`.
  const TemplateCode* find_code(std::string_view engine) const noexcept;
  // Whether an admission request's operation passes spec.targets[0].operations (only the webhook asks).
  bool matches_operation(std::string_view operation) const noexcept;
};
using TemplatePtr = std::shared_ptr<const ConstraintTemplate>;

struct TemplateDecodeOptions {
  // legacySchema's default by version (v1: false, else true). The API server and gator apply it, the webhook does not.
  bool default_legacy_schema = true;
};

// Decodes and converts; does not judge (see validate_template). `object` is copied.
// Errors (kInvalid): Go's text for a field of the wrong type, or "invalid ConstraintTemplate: …".
Result<TemplatePtr> decode_template(const Value& object, const TemplateDecodeOptions& options = {});

// Gatekeeper's checks in its order: exactly one target, its name, the kind, metadata.name == lower(kind), known target.
// Errors (kInvalid): "invalid ConstraintTemplate: must declare exactly one target" and so on.
Result<void> validate_template(const ConstraintTemplate& constraint_template);

// Webhook only: "if '*' is present, must not specify other operations" (kInvalid; Gatekeeper answers 500).
Result<void> validate_operations(const ConstraintTemplate& constraint_template);

// Same spec and labels: nothing to compile again.
bool same_template(const ConstraintTemplate& a, const ConstraintTemplate& b) noexcept;

}  // namespace portcullis::policy
