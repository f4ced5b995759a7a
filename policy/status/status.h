// The status objects that the controller writes: pure functions from facts to JSON objects.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "engine/value/value.h"

namespace portcullis::policy {

// Joins parts with "-" after doubling every "-" inside a part. Errors (kInvalid): a part that is empty or begins or
// ends with "-".
Result<std::string> pod_status_name(std::span<const std::string_view> parts);

struct PodIdentity {
  std::string name;
  std::string ns;                       // Gatekeeper's namespace
  std::string uid;                      // empty: no ownerReference (command line, tests)
  std::vector<std::string> operations;  // sorted
};

struct StatusError {
  std::string code;  // "" is left out for constraints
  std::string message;
};

struct TemplatePodStatus {
  std::string template_name;
  std::string template_uid;
  std::int64_t observed_generation = 0;
  std::vector<StatusError> errors;
};

struct EnforcementPointStatus {
  std::string point;
  std::string state;
  std::string message;
  std::int64_t observed_generation = 0;
};

struct ConstraintPodStatus {
  std::string constraint_kind;
  std::string constraint_name;
  std::string template_name;
  std::string constraint_uid;
  bool enforced = false;
  std::int64_t observed_generation = 0;
  std::vector<StatusError> errors;
  std::vector<EnforcementPointStatus> points;
};

struct ConfigPodStatus {
  std::string config_ns;
  std::string config_name;
  std::string config_uid;
  std::int64_t observed_generation = 0;
  std::vector<std::string> errors;
};

// status.gatekeeper.sh/v1beta1 objects, labels and (non-controller) ownerReference included.
Result<Document> make_template_pod_status(const PodIdentity& pod, const TemplatePodStatus& status);
Result<Document> make_constraint_pod_status(const PodIdentity& pod, const ConstraintPodStatus& status);
Result<Document> make_config_pod_status(const PodIdentity& pod, const ConfigPodStatus& status);

// status.byPod of a parent: the `.status` of those `pod_statuses` whose stored UID (field `uid_field`: "templateUID",
// "constraintUID", "configUID") equals `parent_uid`, sorted by id. An array in `arena`.
Value aggregate_by_pod(Arena& arena, std::span<const Value> pod_statuses, std::string_view uid_field,
                       std::string_view parent_uid);
// Whether any entry of byPod is without errors (status.created of a template).
bool any_without_errors(const Value& by_pod) noexcept;

// One violation as audit lists it.
struct AuditViolation {
  std::string group, version, kind, ns, name, message;
  std::string enforcement_action;
  std::vector<std::string> enforcement_actions;  // scoped: the resolved ones
};

// Cuts messages over 256 bytes to 253 and "..."; a character cut in two becomes U+FFFD.
std::string truncate_message(std::string_view message);

// Keeps the `limit` smallest violations by (group, version, kind, namespace, name, message, action) and counts all.
class ViolationList {
 public:
  explicit ViolationList(std::size_t limit) : limit_(limit) {}
  // The message is truncated here. O(log limit).
  void add(AuditViolation violation);
  std::uint64_t total() const noexcept { return total_; }
  // In the order they are written: descending.
  std::vector<const AuditViolation*> listed() const;

 private:
  std::size_t limit_;
  std::uint64_t total_ = 0;
  std::vector<AuditViolation> heap_;  // the largest on top
};

// {auditTimestamp, totalViolations, violations?}: what audit sets in a constraint's status. `timestamp` is RFC 3339.
Value audit_status(Arena& arena, std::string_view timestamp, const ViolationList& violations);
// `status` (may be undefined) with audit's fields replaced: no violations removes the list.
Value merge_audit_status(Arena& arena, const Value& status, const Value& audit);

}  // namespace portcullis::policy
