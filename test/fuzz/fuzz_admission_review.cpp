// Request bodies through decoding, matching, evaluation and the answer. The policies touch every part of a review.
// A first byte of 1 makes the rest a constraint instead, which is checked and, when it is fine, joins in.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "policy/review/snapshot.h"

using namespace portcullis;

namespace {

constexpr std::string_view kTemplate = R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
  "metadata": {"name": "fuzz"}, "spec": {"crd": {"spec": {"names": {"kind": "Fuzz"}, "validation": {"openAPIV3Schema": {
  "type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}}, "n": {"type": "integer", "default": 3}}}}}},
  "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego":
  "package fuzz\nviolation[{\"msg\": msg, \"details\": input.review.object.spec}] { l := input.parameters.labels[_]; not input.review.object.metadata.labels[l]; msg := sprintf(\"%v %v\", [l, input.review]) }\nviolation[{\"msg\": msg}] { c := input.review.object.spec.containers[_]; msg := c.image }"}]}})";

constexpr std::string_view kConstraints[] = {
    R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Fuzz", "metadata": {"name": "all"},
        "spec": {"parameters": {"labels": ["a"]}}})",
    R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Fuzz", "metadata": {"name": "match"},
        "spec": {"enforcementAction": "warn", "match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": ["a*"],
        "labelSelector": {"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]},
        "namespaceSelector": {"matchLabels": {"a": "b"}}, "name": "*p", "scope": "Namespaced"}, "parameters": {"labels": ["b"]}}})"};

struct State {
  policy::SnapshotBuilder builder;
  policy::Inventory inventory;
  rego::EvalScratch scratch;
  rego::Host host;
  std::shared_ptr<const policy::Snapshot> snapshot;

  State() {
    const Result<Document> document = Document::parse_json(kTemplate);
    if (!document.ok() || !builder.set_template(document->root()).ok()) std::abort();
    for (const std::string_view text : kConstraints) {
      const Result<Document> constraint = Document::parse_json(text);
      if (!constraint.ok() || !builder.set_constraint(constraint->root()).ok()) std::abort();
    }
    snapshot = builder.build();
  }
};

State& state() {
  static State kState;
  return kState;
}

void constraint(State& s, std::string_view text) {
  ParseLimits limits;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  const Result<Document> document = Document::parse_json(text, limits);
  if (!document.ok()) return;
  static_cast<void>(policy::validate_enforcement(document->root(), true));
  const auto added = s.builder.set_constraint(document->root());
  if (!added.ok()) return;
  s.snapshot = s.builder.build();
  s.builder.remove_constraint(added->constraint->kind, added->constraint->name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  State& s = state();
  std::string_view body(reinterpret_cast<const char*>(data), size);
  if (!body.empty() && body.front() == 1) {
    constraint(s, body.substr(1));
    body = R"({"request": {"operation": "UPDATE", "namespace": "ab", "object": {"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "op", "namespace": "ab", "labels": {"x": "z"}}, "spec": {"containers": [{"image": "i"}]}}}})";
  }
  s.scratch.reset();
  const Result<policy::Review> review = policy::decode_admission_review(body, s.scratch);
  if (!review.ok()) {
    policy::encode_admission_response("", "", "", policy::plain_response(false, 400, review.error().message));
    return 0;
  }
  policy::ReviewOptions options;
  options.limits.instructions = 200000;
  options.limits.arena_bytes = std::size_t{32} << 20;
  policy::CachedInventory cached;
  const policy::ReviewResult result =
      s.snapshot->review(*review, s.inventory.refresh(cached), s.scratch, s.host, options);
  policy::encode_admission_response(review->api_version, review->review_kind, review->uid,
                                    policy::admission_response(result, review->display_name()));
  return 0;
}
