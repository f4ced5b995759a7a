// What is reviewed: an admission request, an audited object, a file on the command line.
// Ownership: a Review borrows everything from the EvalScratch (or documents) it was made in; it dies with the scratch's
// next reset(). Nothing here allocates on the heap in the steady state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/rego/eval/program.h"
#include "engine/value/value.h"
#include "policy/match/match.h"

namespace portcullis::policy {

enum class Operation : std::uint8_t { kNone, kCreate, kUpdate, kDelete, kConnect, kOther };

struct Review {
  // The request's own fields, for logs, events and the answer. Views into the scratch.
  std::string_view uid;
  std::string_view api_version;  // of the AdmissionReview, echoed; "" for synthetic reviews
  std::string_view review_kind;  // "AdmissionReview" or what was sent
  std::string_view name;
  std::string_view ns;  // request.namespace
  std::string_view operation_text;
  Operation operation = Operation::kNone;
  std::string_view group, version, kind;  // request.kind
  std::string_view resource_group, resource_version, resource, sub_resource;
  std::string_view username;
  Value user_info;
  Value options;
  bool dry_run = false;
  bool has_dry_run = false;

  Value object;  // undefined when absent or null
  Value old_object;
  Value request;  // request as sent (undefined for synthetic reviews)

  // The objects' numbers are float64 already (decoded requests); otherwise policies are shown a converted copy.
  bool float64_numbers = false;

  Source source = Source::kNone;
  Value match_namespace;  // Namespace for matching; undefined: unknown (the inventory's is then used)
  Value input_namespace;  // Namespace shown as input.review.namespaceObject; undefined: {}

  // The name to show: request name, else the object's name or generateName.
  std::string_view display_name() const noexcept;
};

// What Go's decoder says of a value that should be an object with apiVersion and kind.
std::string version_kind_error(const Value& value);

// Decodes an AdmissionReview v1 or v1beta1 in one pass. `body` must outlive the review. The scratch is not reset here.
// Nothing is copied that the body already holds. apiVersion and kind are not checked, as in Gatekeeper.
// Errors: kInvalid with the text of the decode failure (answer: code 400, uid "").
// One with neither apiVersion nor kind counts as admission.k8s.io/v1 AdmissionReview.
Result<Review> decode_admission_review(std::string_view body, rego::EvalScratch& scratch);

// The same from a parsed AdmissionReview's `request` (gator verify). Strictness is the caller's.
Result<Review> review_of_request(const Value& request, rego::EvalScratch& scratch);

// A synthetic request as audit and gator make it: only kind, name, namespace and object. `operation` kDelete puts the
// object into oldObject. `object` must outlive the review.
Review review_of_object(const Value& object, Source source, Operation operation = Operation::kNone);

// A Namespace as Gatekeeper shows it to policies: typed and re-serialised, so that spec and status are always there.
Value typed_namespace(Arena& arena, const Value& ns);

}  // namespace portcullis::policy
