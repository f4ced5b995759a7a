// What a review found, and the admission answer made of it.
// Ownership: copies what it keeps; may outlive Snapshot and scratch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "policy/model/constraint.h"
#include "policy/review/review.h"

namespace portcullis::policy {

struct Violation {
  ConstraintPtr constraint;
  std::string message;  // bare, without "[name]"
  std::string details;  // JSON text; "" for an autorejection (no details at all)
  // Union of actions at the enforcement point: {action} unless scoped. Borrowed from the constraint.
  const std::vector<std::string>* scoped_actions = nullptr;  // null unless scoped

  std::string_view action() const noexcept { return constraint->enforcement.action; }
  bool has_action(std::string_view wanted) const noexcept;
};

struct TemplateStats {
  std::string kind;
  std::uint64_t run_time_ns = 0;
  std::uint64_t constraints = 0;
};

struct ConstraintTime {
  ConstraintPtr constraint;
  std::uint64_t run_time_ns = 0;
};

struct ReviewResult {
  // Ordered by (action, message), then constraint kind, name and details; without duplicates.
  std::vector<Violation> violations;
  // One per template evaluated, only when asked for.
  std::vector<TemplateStats> stats;
  // One per constraint evaluated, only when asked for.
  std::vector<ConstraintTime> times;
  // What made the review as a whole fail (a msg that is no string, oldObject missing on DELETE …): the webhook answers
  // 500, audit keeps `violations` and reports it. Empty: nothing. The text is what follows "error reviewing resource n:
  // ".
  std::string failure;
  Code failure_code = Code::kInvalid;

  bool failed() const noexcept { return !failure.empty(); }
};

struct AdmissionResponse {
  bool allowed = true;
  int code = 200;
  std::string reason;
  std::string message;
  std::vector<std::string> warnings;
};

// Section by section as Gatekeeper answers: any deny -> 403 "Forbidden" with "[name] msg" lines and the warnings too;
// only warnings -> allowed, 299; a failed review -> 500.
AdmissionResponse admission_response(const ReviewResult& result, std::string_view display_name);
// An answer that is no policy decision: {allowed, code, message}.
AdmissionResponse plain_response(bool allowed, int code, std::string message);

// The body to send: AdmissionReview in the version that was asked, uid copied. Empty api_version and kind are left out
// (a request that could not be decoded).
std::string encode_admission_response(std::string_view api_version, std::string_view kind, std::string_view uid,
                                      const AdmissionResponse& response);

}  // namespace portcullis::policy
